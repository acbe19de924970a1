import type { Answer } from "../protocol/answer.ts";
import type { JsonObject } from "../protocol/json.ts";
import { USAGE_PER_CALL } from "../protocol/turn.ts";
import { errorIn, type Heard, heardIn } from "./heard.ts";
import type { AskedFor, Protocol } from "./protocol.ts";

const METHODS: Readonly<Record<string, AskedFor>> = {
  generateContent: "document",
  streamGenerateContent: "stream",
  countTokens: "count",
};

/** Google's Gemini API; streams are those of `alt=sse`. */
export const gemini: Protocol = {
  base: "/gemini",
  askedFor(method, path) {
    if (method === "GET") {
      return /^\/v1beta\/models(?:\/[\w.-]+)?(?:\?|$)/.test(path) ? "models" : undefined;
    }
    const called = /^\/v1beta\/models\/[\w.-]+:(\w+)(?:\?|$)/.exec(path)?.[1] ?? "";
    return Object.hasOwn(METHODS, called) ? METHODS[called] : undefined;
  },
  keyOf: (headers) => headers["x-goog-api-key"],
  complaintAbout: () => undefined,
  inItsWords(answer, asked) {
    switch (answer.kind) {
      case "silence":
        return answer;
      case "json":
        return answer.status >= 400 ? inErrorWords(answer) : answer;
      case "stream":
        return asked === "document"
          ? { kind: "json", status: 200, body: documentOf(heardIn(answer)) }
          : { ...answer, events: heardIn(answer).map(pieceOf) };
    }
  },
  count: { totalTokens: USAGE_PER_CALL.inputTokens },
  models: { models: [] },
};

const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = USAGE_PER_CALL;

/** Thoughts are no part of the candidates. */
const USAGE = {
  promptTokenCount: inputTokens,
  cachedContentTokenCount: cachedInputTokens,
  candidatesTokenCount: outputTokens - reasoningTokens,
  thoughtsTokenCount: reasoningTokens,
  totalTokenCount: inputTokens + outputTokens,
};
const USAGE_OF_BEGUN = { promptTokenCount: inputTokens, totalTokenCount: inputTokens };

const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
};

function inErrorWords({ status, headers = {}, body }: Answer & { readonly kind: "json" }): Answer {
  const { code, message } = errorIn(body);
  // There is no header for it.
  const { "retry-after": seconds, ...others } = headers;
  if (code === "invalid_api_key") {
    const details = [{ "@type": ERROR_INFO, reason: "API_KEY_INVALID", domain: "googleapis.com" }];
    const error = { code: 400, message: "API key not valid.", status: "INVALID_ARGUMENT", details };
    return { kind: "json", status: 400, headers: others, body: { error } };
  }
  const details =
    status === 429
      ? [
          {
            "@type": QUOTA_FAILURE,
            violations: [{ quotaId: `GenerateRequestsPer${perWhat(code)}PerProjectPerModel` }],
          },
          ...(seconds === undefined ? [] : [{ "@type": RETRY_INFO, retryDelay: `${seconds}s` }]),
        ]
      : [];
  const error = { code: status, message, status: STATUS_WORDS[status] ?? "UNKNOWN", details };
  return { kind: "json", status, headers: others, body: { error } };
}

const ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo";
const QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure";
const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

function perWhat(code: string): string {
  return code === "insufficient_quota" ? "Day" : "Minute";
}

function pieceOf(one: Heard): JsonObject {
  switch (one.what) {
    case "begun":
      return candidate([], USAGE_OF_BEGUN);
    case "text":
      return candidate([{ text: one.text }], USAGE_OF_BEGUN);
    case "call":
      return candidate([{ functionCall: { name: one.name, args: one.input } }], USAGE_OF_BEGUN);
    case "completed":
      return candidate([], USAGE, "STOP");
    case "incomplete":
      return candidate([], USAGE, "MAX_TOKENS");
    case "failed":
      return { error: { code: 500, message: one.message, status: "INTERNAL" } };
  }
}

function candidate(
  parts: readonly JsonObject[],
  usageMetadata: JsonObject,
  finishReason?: string,
): JsonObject {
  return {
    candidates: [
      {
        content: { role: "model", parts },
        ...(finishReason === undefined ? {} : { finishReason }),
        index: 0,
      },
    ],
    usageMetadata,
    modelVersion: "mock",
    responseId: "resp_1",
  };
}

function documentOf(heard: readonly Heard[]): JsonObject {
  const parts = heard.flatMap((one): readonly JsonObject[] =>
    one.what === "text"
      ? [{ text: one.text }]
      : one.what === "call"
        ? [{ functionCall: { name: one.name, args: one.input } }]
        : [],
  );
  return candidate(parts, USAGE, heard.at(-1)?.what === "incomplete" ? "MAX_TOKENS" : "STOP");
}
