import type { ModelUsage } from "../../../ports/model-gateway.ts";
import { resetOfStreamedError } from "../reset-time.ts";
import { fieldsOf, listOf, parsedJson, type Sighting, tokenOf, tokensOf } from "../sighting.ts";
import { type AnswerReader, type ProviderShape, withQuery } from "./provider-shape.ts";

/** What may stand in a query: keys and other methods may stand there too, and go no further. */
const PASSED_QUERY = ["alt", "pageSize", "pageToken"];

/** Google's Gemini API, as Gemini CLI calls it. */
export const gemini: ProviderShape = {
  provider: "gemini",
  prefix: "/gemini",
  defaultBaseUrl: "https://generativelanguage.googleapis.com",
  ways: "POST /gemini/v1beta/models/<model>:generateContent, :streamGenerateContent and :countTokens and GET /gemini/v1beta/models",
  routeOf(method, path, query) {
    const passed = passedQuery(query);
    const [, model] =
      /^\/v1beta\/models\/([\w.-]{1,128}):(?:generateContent|streamGenerateContent|countTokens)$/.exec(
        path,
      ) ?? [];
    if (method === "POST" && model !== undefined) {
      return { method, path: withQuery(path, passed), model };
    }
    return method === "GET" && /^\/v1beta\/models(?:\/[\w.-]{1,128})?$/.test(path)
      ? { method, path: withQuery(path, passed) }
      : undefined;
  },
  keyHeader: "x-goog-api-key",
  keyValue: (apiKey) => apiKey,
  readAnswer,
  // A stream that is no stream of events is a list, and so is its error.
  errorOf: (body) => fieldsOf(Array.isArray(body) ? body[0] : body).error,
  errorCodeOf,
  ownBody: ({ status, code, message, resetsInMs }) => ({
    error: {
      code: status,
      message,
      status: STATUS_WORDS[status] ?? (status >= 500 ? "UNAVAILABLE" : "INVALID_ARGUMENT"),
      details: [
        { "@type": ERROR_INFO, reason: code, domain: "speckit" },
        ...(resetsInMs === undefined
          ? []
          : [{ "@type": RETRY_INFO, retryDelay: `${Math.ceil(resetsInMs / 1000)}s` }]),
      ],
    },
  }),
};

const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";
const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

const STATUS_WORDS: Readonly<Record<number, string>> = {
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
};

function passedQuery(query: string): string {
  const asked = new URLSearchParams(query);
  for (const name of new Set(asked.keys())) {
    if (!PASSED_QUERY.includes(name)) {
      asked.delete(name);
    }
  }
  return asked.toString();
}

/**
 * Its status in words, or more where the details say more: a quota of a day is no rate, and a wrong
 * key is told as a wrong argument.
 */
function errorCodeOf(error: unknown): string | null {
  const { status, message, details } = fieldsOf(error);
  const facts = listOf(details).map(fieldsOf);
  if (status === "RESOURCE_EXHAUSTED") {
    const quotas = facts.flatMap(({ violations }) => listOf(violations).map(fieldsOf));
    return quotas.some(({ quotaId }) => /PerDay/.test(String(quotaId)))
      ? "quota_exceeded"
      : "rate_limit_exceeded";
  }
  if (facts.some(({ reason }) => reason === "API_KEY_INVALID")) {
    return "invalid_api_key";
  }
  if (
    status === "INVALID_ARGUMENT" &&
    /exceeds the maximum number of tokens/.test(String(message))
  ) {
    return "context_length_exceeded";
  }
  return tokenOf(status);
}

/** How an answer ends that is not whole. `STOP` is a good end. */
const BROKEN_OFF: Readonly<Record<string, string>> = {
  MAX_TOKENS: "max_output_tokens",
  SAFETY: "content_filter",
  RECITATION: "content_filter",
  BLOCKLIST: "content_filter",
  PROHIBITED_CONTENT: "content_filter",
  SPII: "content_filter",
};

/** Each piece has the sums so far; the last one also says why the answer ends. */
function readAnswer(now: () => Date): AnswerReader {
  /** Parsed when somebody asks: most pieces are followed by another. */
  let lastWithUsage = "{}";
  return {
    event(_name, data) {
      if (data.includes('"usageMetadata"')) {
        lastWithUsage = data;
      }
      return /"(?:finishReason|blockReason|error)"/.test(data)
        ? endOf(parsedJson(data), () => usageOf(parsedJson(lastWithUsage)), now())
        : undefined;
    },
    document(document) {
      const pieces = Array.isArray(document) ? document : [document];
      const usage = pieces.map(usageOf).findLast((found) => found !== null) ?? null;
      return pieces.map((piece) => endOf(piece, () => usage, now())).findLast(Boolean);
    },
    usage: () => usageOf(parsedJson(lastWithUsage)),
  };
}

function endOf(piece: unknown, usage: () => ModelUsage | null, now: Date): Sighting | undefined {
  const { candidates, promptFeedback, error } = fieldsOf(piece);
  if (error !== undefined) {
    return {
      outcome: "failed",
      errorCode: errorCodeOf(error),
      resetsInMs: resetOfStreamedError(error, now),
      usage: usage(),
    };
  }
  const reason = tokenOf(
    listOf(candidates)
      .map((candidate) => fieldsOf(candidate).finishReason)
      .find((told) => told !== undefined),
  );
  if (reason === "STOP") {
    return { outcome: "completed", errorCode: null, resetsInMs: null, usage: usage() };
  }
  const isBlocked = fieldsOf(promptFeedback).blockReason !== undefined;
  if (reason === null && !isBlocked) {
    return undefined;
  }
  const known = Object.hasOwn(BROKEN_OFF, reason ?? "") ? BROKEN_OFF[reason ?? ""] : reason;
  return {
    outcome: "failed",
    errorCode: isBlocked ? "content_filter" : (known ?? null),
    resetsInMs: null,
    usage: usage(),
  };
}

/** What was cached is part of the prompt; thoughts stand beside the candidates' tokens. */
function usageOf(piece: unknown): ModelUsage | null {
  const told = fieldsOf(fieldsOf(piece).usageMetadata);
  const prompt = tokensOf(told.promptTokenCount);
  if (prompt === undefined) {
    return null;
  }
  const inputTokens = prompt + (tokensOf(told.toolUsePromptTokenCount) ?? 0);
  const cached = tokensOf(told.cachedContentTokenCount) ?? 0;
  return {
    inputTokens,
    cachedInputTokens: Math.min(cached, inputTokens),
    outputTokens:
      (tokensOf(told.candidatesTokenCount) ?? 0) + (tokensOf(told.thoughtsTokenCount) ?? 0),
  };
}
