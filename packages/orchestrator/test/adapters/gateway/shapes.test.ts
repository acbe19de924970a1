import { describe, expect, test } from "vitest";
import { anthropic } from "../../../src/adapters/gateway/shapes/anthropic.ts";
import { gemini } from "../../../src/adapters/gateway/shapes/gemini.ts";
import { openai } from "../../../src/adapters/gateway/shapes/openai.ts";
import type { ProviderShape } from "../../../src/adapters/gateway/shapes/provider-shape.ts";
import { shapeOfPath } from "../../../src/adapters/gateway/shapes/shape-of-path.ts";
import { watchAnswer } from "../../../src/adapters/gateway/watch-answer.ts";
import { DIALECTS } from "./fixtures/dialects.ts";

const now = () => new Date("2026-11-25T07:00:00Z");

describe("a path", () => {
  test.each([
    ["/openai/v1/responses", openai],
    ["/anthropic/v1/messages", anthropic],
    ["/gemini/v1beta/models", gemini],
    ["/geminix/v1beta/models", undefined],
    ["/openai/v2/responses", undefined],
    ["/", undefined],
  ])("%s is of one provider or of none", (path, shape) => {
    expect(shapeOfPath(path)).toBe(shape);
  });

  test.each<[ProviderShape, string, string, string, string | undefined]>([
    [openai, "POST", "/responses", "a=1", "/responses?a=1"],
    [openai, "POST", "/responses/", "", undefined],
    [openai, "GET", "/responses", "", undefined],
    [openai, "POST", "/responses/resp_1/cancel", "", undefined],
    [anthropic, "POST", "/v1/messages", "beta=true", "/v1/messages?beta=true"],
    [anthropic, "POST", "/v1/messages/count_tokens", "", "/v1/messages/count_tokens"],
    [anthropic, "POST", "/v1/messages/batches", "", undefined],
    [anthropic, "GET", "/v1/models", "limit=5", "/v1/models?limit=5"],
    [anthropic, "POST", "/v1/files", "", undefined],
    [
      gemini,
      "POST",
      "/v1beta/models/g-3:generateContent",
      "key=a",
      "/v1beta/models/g-3:generateContent",
    ],
    [
      gemini,
      "POST",
      "/v1beta/models/g-3:streamGenerateContent",
      "key=a&alt=sse&access_token=b&alt=sse&%24httpMethod=GET",
      "/v1beta/models/g-3:streamGenerateContent?alt=sse&alt=sse",
    ],
    [gemini, "POST", "/v1beta/models/g-3:batchGenerateContent", "", undefined],
    [gemini, "POST", "/v1beta/models/../files:generateContent", "", undefined],
    [gemini, "POST", "/v1beta/models/a%2Fb:generateContent", "", undefined],
    [gemini, "GET", "/v1beta/models/g-3", "", "/v1beta/models/g-3"],
    [gemini, "GET", "/v1beta/files", "", undefined],
  ])("of $0.provider leads on or not: %s %s ?%s", (shape, method, path, query, forwarded) => {
    expect(shape.routeOf(method, path, query)?.path).toBe(forwarded);
  });
});

describe.each(DIALECTS)(
  "a stream of $provider",
  ({ provider, begin, finish, usage, usageOfBegun }) => {
    const shape = shapeOfPath(
      { openai: "/openai/v1", anthropic: "/anthropic", gemini: "/gemini" }[provider],
    )!;
    const watched = (text: string, pieceBytes: number) => {
      const watch = watchAnswer("text/event-stream", now, shape);
      const bytes = Buffer.from(text);
      const seen = [];
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        seen.push(watch.see(bytes.subarray(at, at + pieceBytes)));
      }
      return { seen: seen.filter(Boolean), usage: watch.usage() };
    };

    test("is seen to its end once, however it is cut up", () => {
      const end = { outcome: "completed", errorCode: null, resetsInMs: null, usage };
      for (const pieceBytes of [1, 3, 50, 10_000]) {
        expect(watched(begin + finish, pieceBytes).seen).toEqual([end]);
        expect(watched((begin + finish).replaceAll("\n", "\r\n"), pieceBytes).seen).toEqual([end]);
      }
    });

    test("that has only begun has no end, and has cost what was told", () => {
      expect(watched(begin, 7)).toEqual({ seen: [], usage: usageOfBegun });
    });
  },
);

describe("how an answer ends", () => {
  const anthropicEnd = (reason: string) => ({
    type: "message",
    stop_reason: reason,
    usage: { input_tokens: 1, output_tokens: 1 },
  });
  const geminiEnd = (fields: object) => ({ candidates: [fields] });
  test.each<[ProviderShape, object, string, string | null]>([
    [anthropic, anthropicEnd("end_turn"), "completed", null],
    [anthropic, anthropicEnd("tool_use"), "completed", null],
    [anthropic, anthropicEnd("max_tokens"), "failed", "max_output_tokens"],
    [anthropic, anthropicEnd("refusal"), "failed", "content_filter"],
    [gemini, geminiEnd({ finishReason: "STOP" }), "completed", null],
    [gemini, geminiEnd({ finishReason: "MAX_TOKENS" }), "failed", "max_output_tokens"],
    [gemini, geminiEnd({ finishReason: "SAFETY" }), "failed", "content_filter"],
    [
      gemini,
      geminiEnd({ finishReason: "MALFORMED_FUNCTION_CALL" }),
      "failed",
      "MALFORMED_FUNCTION_CALL",
    ],
    [gemini, { promptFeedback: { blockReason: "OTHER" } }, "failed", "content_filter"],
    [
      openai,
      { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
      "failed",
      "max_output_tokens",
    ],
  ])("is read from the document of $0.provider: %j", (shape, document, outcome, errorCode) => {
    expect(shape.readAnswer(now).document(document)).toMatchObject({ outcome, errorCode });
  });

  test("is read from a list of pieces too, as Gemini streams without events", () => {
    const pieces = [
      { candidates: [{}], usageMetadata: { promptTokenCount: 9 } },
      {
        candidates: [{ finishReason: "STOP" }],
        usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2 },
      },
    ];
    expect(gemini.readAnswer(now).document(pieces)).toEqual({
      outcome: "completed",
      errorCode: null,
      resetsInMs: null,
      usage: { inputTokens: 9, cachedInputTokens: 0, outputTokens: 2 },
    });
  });
});

describe("an error's code", () => {
  const violation = (quotaId: string) => ({ violations: [{ quotaId }] });
  test.each<[ProviderShape, object, string | null]>([
    [anthropic, { type: "rate_limit_error" }, "rate_limit_error"],
    [
      anthropic,
      { type: "invalid_request_error", message: "Your credit balance is too low" },
      "billing_error",
    ],
    [
      anthropic,
      { type: "invalid_request_error", message: "prompt is too long: 9 tokens" },
      "context_length_exceeded",
    ],
    [anthropic, { type: "free text of somebody" }, null],
    [gemini, { status: "RESOURCE_EXHAUSTED" }, "rate_limit_exceeded"],
    [
      gemini,
      { status: "RESOURCE_EXHAUSTED", details: [violation("RequestsPerDayPerProject")] },
      "quota_exceeded",
    ],
    [
      gemini,
      { status: "INVALID_ARGUMENT", details: [{ reason: "API_KEY_INVALID" }] },
      "invalid_api_key",
    ],
    [
      gemini,
      {
        status: "INVALID_ARGUMENT",
        message: "The input token count (9) exceeds the maximum number of tokens allowed (8).",
      },
      "context_length_exceeded",
    ],
    [gemini, { status: "UNAVAILABLE" }, "UNAVAILABLE"],
    [gemini, { status: "words of somebody" }, null],
  ])("of $0.provider in %j", (shape, error, code) => {
    expect(shape.errorCodeOf(shape.errorOf({ error }))).toBe(code);
  });

  test("of Gemini is found in a list as well", () => {
    expect(gemini.errorOf([{ error: { status: "UNAVAILABLE" } }])).toEqual({
      status: "UNAVAILABLE",
    });
  });
});
