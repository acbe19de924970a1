import type { ModelUsage } from "../../../ports/model-gateway.ts";
import { resetOfStreamedError } from "../reset-time.ts";
import { codeOf, fieldsOf, parsedJson, type Sighting, tokensOf } from "../sighting.ts";
import { type AnswerReader, type ProviderShape, withQuery } from "./provider-shape.ts";

const POSTS = ["/v1/messages", "/v1/messages/count_tokens"];

/** Anthropic's Messages API, as Claude Code calls it. Its version header is the agent's own. */
export const anthropic: ProviderShape = {
  provider: "anthropic",
  prefix: "/anthropic",
  defaultBaseUrl: "https://api.anthropic.com",
  ways: "POST /anthropic/v1/messages, POST /anthropic/v1/messages/count_tokens and GET /anthropic/v1/models",
  routeOf(method, path, query) {
    if (method === "POST" && POSTS.includes(path)) {
      return { method, path: withQuery(path, query) };
    }
    return method === "GET" && path === "/v1/models"
      ? { method, path: withQuery(path, query) }
      : undefined;
  },
  keyHeader: "x-api-key",
  keyValue: (apiKey) => apiKey,
  readAnswer,
  errorOf: (body) => fieldsOf(body).error,
  errorCodeOf,
  ownBody: ({ status, code, message, resetsInMs }) => ({
    type: "error",
    error: {
      type: ERROR_TYPES[status] ?? (status >= 500 ? "api_error" : "invalid_request_error"),
      message,
      code,
      ...(resetsInMs === undefined ? {} : { resets_in_seconds: Math.ceil(resetsInMs / 1000) }),
    },
  }),
};

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
};

/**
 * Its `type` says what is wrong, but for two that all wrong requests share: those are told apart by
 * their words, since there is no code.
 */
function errorCodeOf(error: unknown): string | null {
  const { type, message } = fieldsOf(error);
  if (type === "invalid_request_error" && typeof message === "string") {
    if (/credit balance is too low/i.test(message)) {
      return "billing_error";
    }
    if (/prompt is too long/i.test(message)) {
      return "context_length_exceeded";
    }
  }
  return codeOf({ type });
}

/** Why a message ended that is not whole; every other reason is a good end. */
const BROKEN_OFF: Readonly<Record<string, string>> = {
  max_tokens: "max_output_tokens",
  model_context_window_exceeded: "context_length_exceeded",
  refusal: "content_filter",
};

/**
 * The message's start tells the input's tokens, each delta of it the output's so far, its stop only
 * that it has ended.
 */
function readAnswer(now: () => Date): AnswerReader {
  let told: Readonly<Record<string, unknown>> = {};
  let stopReason: unknown;
  const add = (usage: unknown): void => {
    const known = Object.entries(fieldsOf(usage)).filter(([, value]) => value !== null);
    told = { ...told, ...Object.fromEntries(known) };
  };
  const end = (): Sighting => endedBy(stopReason, usageOf(told));
  return {
    event(name, data) {
      if (!mayMatter(name, data)) {
        return undefined;
      }
      const { type, message, delta, usage, error } = fieldsOf(parsedJson(data));
      switch (type) {
        case "message_start":
          add(fieldsOf(message).usage);
          return undefined;
        case "message_delta":
          add(usage);
          stopReason = fieldsOf(delta).stop_reason;
          return undefined;
        case "message_stop":
          return end();
        case "error":
          return {
            outcome: "failed",
            errorCode: errorCodeOf(error),
            resetsInMs: resetOfStreamedError(error, now()),
            usage: usageOf(told),
          };
        default:
          return undefined;
      }
    },
    document(document) {
      const { type, stop_reason: reason, usage } = fieldsOf(document);
      return type === "message" ? endedBy(reason, usageOf(fieldsOf(usage))) : undefined;
    },
    usage: () => usageOf(told),
  };
}

/** Cheap: what a message is made of is no matter of ours. */
function mayMatter(name: string | undefined, data: string): boolean {
  return name === undefined
    ? /"(?:message_(?:start|delta|stop)|error)"/.test(data)
    : /^(?:message_(?:start|delta|stop)|error)$/.test(name);
}

function endedBy(stopReason: unknown, usage: ModelUsage | null): Sighting {
  const errorCode =
    typeof stopReason === "string" && Object.hasOwn(BROKEN_OFF, stopReason)
      ? (BROKEN_OFF[stopReason] ?? null)
      : null;
  return {
    outcome: errorCode === null ? "completed" : "failed",
    errorCode,
    resetsInMs: null,
    usage,
  };
}

/** What was read from the cache and what was written into it stand beside `input_tokens`, not in it. */
function usageOf(usage: Readonly<Record<string, unknown>>): ModelUsage | null {
  const fresh = tokensOf(usage.input_tokens);
  const outputTokens = tokensOf(usage.output_tokens);
  if (fresh === undefined || outputTokens === undefined) {
    return null;
  }
  const cachedInputTokens = tokensOf(usage.cache_read_input_tokens) ?? 0;
  const written = tokensOf(usage.cache_creation_input_tokens) ?? 0;
  return {
    inputTokens: fresh + written + cachedInputTokens,
    cachedInputTokens,
    outputTokens,
  };
}
