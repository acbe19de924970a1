import type { IncomingMessage } from "node:http";
import type { HeldBytes } from "./body-budget.ts";
import type { Refusal } from "./own-answer.ts";
import { fieldsOf, parsedJson } from "./sighting.ts";

/** A conversation is sent in full each turn, pictures included. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export type RequestBody =
  /** The model's name is told and stored: null also for what looks like none. */
  { readonly bytes: Buffer; readonly model: string | null } | { readonly refused: Refusal };

/**
 * Reads a call's body once, whole: which model it asks for must be known before it is sent on.
 *
 * @param held what is read is taken from it
 */
export async function readRequestBody(
  request: IncomingMessage,
  held: Pick<HeldBytes, "take">,
): Promise<RequestBody> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) {
    return TOO_LARGE;
  }
  if ((request.headers["content-encoding"] ?? "identity") !== "identity") {
    return notJson("a body that is not packed");
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) {
      return TOO_LARGE;
    }
    if (!held.take((chunk as Buffer).length)) {
      return TOO_MUCH;
    }
    chunks.push(chunk as Buffer);
  }
  const body = Buffer.concat(chunks);
  const parsed = parsedJson(body.toString("utf8"));
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return notJson("a JSON object");
  }
  const { model } = fieldsOf(parsed);
  const isName = typeof model === "string" && /^[\w.:/@-]{1,128}$/.test(model);
  return { bytes: body, model: isName ? model : null };
}

const TOO_LARGE: RequestBody = {
  refused: {
    status: 413,
    code: "request_too_large",
    message: `The request is larger than ${MAX_BODY_BYTES / 1024 / 1024} MiB.`,
  },
};

const TOO_MUCH: RequestBody = {
  refused: {
    status: 429,
    code: "too_many_open_calls",
    message: "The calls that are open hold as much text as the gateway takes at a time.",
    retryAfterSeconds: 1,
  },
};

function notJson(expected: string): RequestBody {
  return {
    refused: {
      status: 400,
      code: "invalid_request_body",
      message: `The gateway expects ${expected}.`,
    },
  };
}
