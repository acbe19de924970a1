import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/**
 * An answer of the gateway's own. The agent reads it as its provider's, so it has the provider's
 * shape; its `code` tells who has spoken.
 */
export interface OwnAnswer {
  readonly status: number;
  readonly code: OwnCode;
  /** The provider's kind of error, which agents look at. */
  readonly type: string;
  readonly message: string;
  readonly retryAfterSeconds?: number;
  readonly resetsInMs?: number;
}

export type OwnCode =
  | "not_found"
  | "invalid_token"
  | "attempt_unknown"
  | "invalid_request_body"
  | "request_too_large"
  | "too_many_open_calls"
  | "credential_cooling"
  | "token_limit_reached"
  | "cost_limit_reached"
  | "price_unknown"
  | "no_provider"
  | "upstream_unreachable"
  | "upstream_hung";

/** Answers, unless the client is gone or was answered already. */
export function sendOwnAnswer(response: ServerResponse, answer: OwnAnswer): void {
  if (response.headersSent || response.destroyed) {
    return;
  }
  const { type, code, message, resetsInMs } = answer;
  const body = JSON.stringify({
    error: {
      message,
      type,
      param: null,
      code,
      ...(resetsInMs === undefined ? {} : { resets_in_seconds: Math.ceil(resetsInMs / 1000) }),
    },
  });
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
