import type { ModelUsage } from "../../../ports/model-gateway.ts";
import { resetOfStreamedError } from "../reset-time.ts";
import { codeOf, fieldsOf, parsedJson, type Sighting, tokenOf, tokensOf } from "../sighting.ts";
import { type AnswerReader, type ProviderShape, withQuery } from "./provider-shape.ts";

/** OpenAI's Responses API, as Codex calls it. */
export const openai: ProviderShape = {
  provider: "openai",
  prefix: "/openai/v1",
  defaultBaseUrl: "https://api.openai.com/v1",
  ways: "POST /openai/v1/responses and GET /openai/v1/models",
  routeOf(method, path, query) {
    if (method === "POST" && path === "/responses") {
      return { method, path: withQuery(path, query) };
    }
    return method === "GET" && path === "/models"
      ? { method, path: withQuery(path, query) }
      : undefined;
  },
  keyHeader: "authorization",
  keyValue: (apiKey) => `Bearer ${apiKey}`,
  readAnswer,
  errorOf: (body) => fieldsOf(body).error,
  errorCodeOf: codeOf,
  ownBody: ({ status, code, message, resetsInMs }) => ({
    error: {
      message,
      type:
        status === 429
          ? "rate_limit_error"
          : status >= 500
            ? "server_error"
            : "invalid_request_error",
      param: null,
      code,
      ...(resetsInMs === undefined ? {} : { resets_in_seconds: Math.ceil(resetsInMs / 1000) }),
    },
  }),
};

const ENDS: Readonly<Record<string, Sighting["outcome"]>> = {
  "response.completed": "completed",
  "response.failed": "failed",
  "response.incomplete": "failed",
};

/** Tokens are told with the end and not before. */
function readAnswer(now: () => Date): AnswerReader {
  return {
    event: (name, data) => (mayBeEnd(name, data) ? endOf(parsedJson(data), now()) : undefined),
    document: (document) => sightingOf(document, now()),
    usage: () => null,
  };
}

/** Cheap: a stream has thousands of events, and only its last one is worth parsing. */
function mayBeEnd(name: string | undefined, data: string): boolean {
  return name === undefined
    ? /"(?:response\.(?:completed|failed|incomplete)|error)"/.test(data)
    : Object.hasOwn(ENDS, name) || name === "error";
}

function endOf(event: unknown, now: Date): Sighting | undefined {
  const { type, response, error } = fieldsOf(event);
  if (type === "error") {
    // Its fields stand in the event itself or in an object of its own.
    const told = error ?? { ...fieldsOf(event), type: undefined };
    return {
      outcome: "failed",
      errorCode: codeOf(told),
      resetsInMs: resetOfStreamedError(told, now),
      usage: null,
    };
  }
  const outcome = typeof type === "string" && Object.hasOwn(ENDS, type) ? ENDS[type] : undefined;
  return outcome === undefined ? undefined : sightingOf(response, now, outcome);
}

/**
 * Reads a response object: complete, failed, or broken off with part of it made.
 *
 * @param response as in `response.completed`, or the body of a call that was not streamed
 * @param outcome what the event said; default: by the response's own `status`
 */
function sightingOf(
  response: unknown,
  now: Date,
  outcome?: Sighting["outcome"],
): Sighting | undefined {
  const { status, error, incomplete_details: incomplete, usage } = fieldsOf(response);
  const ended =
    outcome ?? (status === "completed" ? "completed" : isEnd(status) ? "failed" : undefined);
  if (ended === undefined) {
    return undefined;
  }
  return {
    outcome: ended,
    errorCode: ended === "failed" ? (codeOf(error) ?? tokenOf(fieldsOf(incomplete).reason)) : null,
    resetsInMs: ended === "failed" ? resetOfStreamedError(error, now) : null,
    usage: usageOf(usage),
  };
}

function isEnd(status: unknown): boolean {
  return status === "failed" || status === "incomplete" || status === "cancelled";
}

function usageOf(usage: unknown): ModelUsage | null {
  const {
    input_tokens: input,
    output_tokens: output,
    input_tokens_details: details,
  } = fieldsOf(usage);
  const inputTokens = tokensOf(input);
  const outputTokens = tokensOf(output);
  if (inputTokens === undefined || outputTokens === undefined) {
    return null;
  }
  const cached = tokensOf(fieldsOf(details).cached_tokens) ?? 0;
  return { inputTokens, cachedInputTokens: Math.min(cached, inputTokens), outputTokens };
}
