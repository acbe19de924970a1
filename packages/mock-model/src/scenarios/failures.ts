import { type Answer, errorAnswer } from "../protocol/answer.ts";
import type { JsonObject } from "../protocol/json.ts";
import { begun, message, turn, usage } from "../protocol/turn.ts";

/** The ways in which a provider fails, as answers. Bodies have the shapes that providers use. */
export const failures = {
  e400: () =>
    errorAnswer(400, {
      message: "Unsupported value: 'reasoning.effort' does not support 'high' with this model.",
      type: "invalid_request_error",
      param: "reasoning.effort",
      code: "unsupported_value",
    }),
  e401: () =>
    errorAnswer(401, {
      message: "Incorrect API key provided.",
      type: "invalid_request_error",
      code: "invalid_api_key",
    }),
  e403: () =>
    errorAnswer(403, {
      message: "Country, region, or territory not supported",
      type: "request_forbidden",
      code: "unsupported_country_region_territory",
    }),
  e404model: () =>
    errorAnswer(404, {
      message: "The model `nope` does not exist or you do not have access to it.",
      type: "invalid_request_error",
      code: "model_not_found",
    }),
  e429: () => rateLimited({}),
  e429ra: (seconds: number) => rateLimited({ "retry-after": String(seconds) }),
  e429quota: () =>
    errorAnswer(429, {
      message: "You exceeded your current quota, please check your plan and billing details.",
      type: "insufficient_quota",
      code: "insufficient_quota",
    }),
  /** What an account with a plan gets: the time it may go on, and no retry-after. */
  e429usage: (resetsInSeconds: number) =>
    errorAnswer(429, {
      message: "The usage limit has been reached",
      type: "usage_limit_reached",
      code: null,
      plan_type: "plus",
      resets_at: Math.floor(Date.now() / 1_000) + resetsInSeconds,
      resets_in_seconds: resetsInSeconds,
    }),
  e500: () =>
    errorAnswer(500, {
      message: "The server had an error while processing your request.",
      type: "server_error",
      code: null,
    }),
  e503: () =>
    errorAnswer(503, {
      message: "The server is currently overloaded.",
      type: "server_error",
      code: "server_is_overloaded",
    }),
  /** Headers and a first event, then nothing. */
  hang: () => ({ ...begunAnswer(), ending: "silence" }),
  hanghdr: () => ({ kind: "silence" }),
  cut: () => ({ ...begunAnswer(), ending: "cut" }),
  /** The body ends properly, in the middle of the answer. */
  trunc: () => begunAnswer(),
  incomplete: () =>
    endedBy("response.incomplete", {
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    }),
  failed: (code: string) =>
    endedBy("response.failed", {
      status: "failed",
      error: { code, message: FAILED_MESSAGES[code] ?? `Something failed: ${code}.` },
    }),
} as const satisfies Record<string, (parameter: never) => Answer>;

/** Codex reads the time to wait out of the first; the others are only told. */
const FAILED_MESSAGES: Readonly<Record<string, string>> = {
  rate_limit_exceeded: "Rate limit reached for this model. Please try again in 1.5s.",
  insufficient_quota: "You exceeded your current quota.",
  context_length_exceeded: "Your input exceeds the context window of this model.",
  server_error: "The server had an error.",
  server_is_overloaded: "The server is overloaded.",
  invalid_prompt: "The prompt was refused.",
};

function rateLimited(headers: Readonly<Record<string, string>>): Answer {
  return errorAnswer(
    429,
    {
      message: "Rate limit reached for this model.",
      type: "requests",
      code: "rate_limit_exceeded",
    },
    headers,
  );
}

function begunAnswer(): Answer & { readonly kind: "stream" } {
  return { kind: "stream", events: begun([]), ending: "end" };
}

/** A stream that says itself why it ends. Tokens are paid for all the same. */
function endedBy(type: string, response: JsonObject): Answer {
  const { events } = turn(message("As far as it came"));
  return {
    kind: "stream",
    events: [
      ...events.slice(0, -1),
      { type, response: { id: "resp_1", usage: usage(), ...response } },
    ],
    ending: "end",
  };
}
