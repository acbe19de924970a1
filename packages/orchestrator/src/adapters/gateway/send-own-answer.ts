import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { OwnAnswer } from "./own-answer.ts";
import type { ProviderShape } from "./shapes/provider-shape.ts";

/** Answers as the provider would, unless the client is gone or was answered already. */
export function sendOwnAnswer(
  response: ServerResponse,
  answer: OwnAnswer,
  { ownBody }: Pick<ProviderShape, "ownBody">,
): void {
  if (response.headersSent || response.destroyed) {
    return;
  }
  const body = JSON.stringify(ownBody(answer));
  const headers: OutgoingHttpHeaders = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  if (answer.retryAfterSeconds !== undefined) {
    headers["retry-after"] = String(answer.retryAfterSeconds);
  }
  if (!response.req.complete) {
    // What was not read of the request would be taken for the next one.
    headers.connection = "close";
  }
  response.writeHead(answer.status, headers);
  response.end(body);
  response.req.resume();
}
