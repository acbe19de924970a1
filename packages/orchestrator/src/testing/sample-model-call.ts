import type { ModelCall } from "../ports/model-gateway.ts";

/** A call that went well, and used 1,050 tokens. */
export function sampleModelCall(more: Partial<ModelCall> = {}): ModelCall {
  return {
    startedAt: new Date("2026-01-31T12:00:00.123Z"),
    model: "gpt-5.5",
    status: 200,
    outcome: "completed",
    errorCode: null,
    resetsInMs: null,
    usage: { inputTokens: 1_000, cachedInputTokens: 64, outputTokens: 50 },
    costUsd: 0.25,
    headersMs: 12,
    durationMs: 345,
    ...more,
  };
}
