import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/domain/error-codes.ts";
import { type FailedCall, modelFailure, refusalCode } from "../../src/domain/model-failure.ts";

const NOW = new Date("2026-11-25T08:00:00.000Z");

function failed(more: Partial<FailedCall> = {}): FailedCall {
  return {
    outcome: "failed",
    status: 500,
    errorCode: null,
    resetsInMs: null,
    model: "m-1",
    ...more,
  };
}

const codeOf = (more: Partial<FailedCall>) => modelFailure(failed(more), NOW)?.code;

describe("a model call stands for", () => {
  test("no failure when it went well, whatever status it had", () => {
    expect(modelFailure(failed({ outcome: "completed" }), NOW)).toBeUndefined();
  });

  test("a provider that went silent or broke off, whatever it had said before", () => {
    expect(codeOf({ outcome: "hung", status: 429, errorCode: "insufficient_quota" })).toBe(
      "MODEL_HUNG",
    );
    expect(codeOf({ outcome: "cut", status: 200, errorCode: "ECONNRESET" })).toBe(
      "MODEL_UNAVAILABLE",
    );
  });

  test.each<[status: number | null, ErrorCode]>([
    [400, "MODEL_REQUEST_REFUSED"],
    [401, "MODEL_CREDENTIALS_REFUSED"],
    [402, "QUOTA_EXHAUSTED"],
    [403, "MODEL_CREDENTIALS_REFUSED"],
    [404, "MODEL_NOT_FOUND"],
    [408, "MODEL_UNAVAILABLE"],
    [409, "MODEL_UNAVAILABLE"],
    [413, "CONTEXT_TOO_LONG"],
    [422, "MODEL_REQUEST_REFUSED"],
    [425, "MODEL_UNAVAILABLE"],
    [429, "RATE_LIMITED"],
    [500, "MODEL_UNAVAILABLE"],
    [529, "MODEL_UNAVAILABLE"],
    [302, "MODEL_UNAVAILABLE"],
    [null, "MODEL_UNAVAILABLE"],
  ])("what its status says when there is no code known: %s", (status, code) => {
    expect(codeOf({ status })).toBe(code);
    expect(codeOf({ status, errorCode: "never_heard_of" })).toBe(code);
  });

  test.each<[status: number, errorCode: string, ErrorCode]>([
    [429, "insufficient_quota", "QUOTA_EXHAUSTED"],
    [429, "usage_limit_reached", "QUOTA_EXHAUSTED"],
    [403, "billing_not_active", "QUOTA_EXHAUSTED"],
    [400, "model_not_found", "MODEL_NOT_FOUND"],
    [400, "context_length_exceeded", "CONTEXT_TOO_LONG"],
    [400, "invalid_api_key", "MODEL_CREDENTIALS_REFUSED"],
    [200, "rate_limit_exceeded", "RATE_LIMITED"],
    [200, "max_output_tokens", "CONTEXT_TOO_LONG"],
    [200, "content_filter", "MODEL_REQUEST_REFUSED"],
    [200, "server_is_overloaded", "MODEL_UNAVAILABLE"],
  ])("what its code says before its status: %i %s", (status, errorCode, code) => {
    expect(codeOf({ status, errorCode })).toBe(code);
  });

  test.each<[errorCode: string, ErrorCode]>([
    ["credential_cooling", "RATE_LIMITED"],
    ["token_limit_reached", "TOKEN_LIMIT_REACHED"],
    ["cost_limit_reached", "COST_LIMIT_REACHED"],
    ["price_unknown", "PRICE_UNKNOWN"],
    ["request_too_large", "CONTEXT_TOO_LONG"],
    ["invalid_request_body", "MODEL_REQUEST_REFUSED"],
    ["invalid_token", "PHASE_DEADLINE_EXCEEDED"],
    ["too_many_open_calls", "MODEL_UNAVAILABLE"],
  ])("the gateway's own refusal: %s", (errorCode, code) => {
    expect(codeOf({ outcome: "refused", status: null, errorCode })).toBe(code);
  });

  test("its status when its code is a name every object has", () => {
    expect(refusalCode(401, "constructor")).toBe("MODEL_CREDENTIALS_REFUSED");
  });
});

describe("the time to come back", () => {
  test("is counted from now, and told where waiting helps", () => {
    expect(modelFailure(failed({ status: 429, resetsInMs: 20_000 }), NOW)).toMatchObject({
      code: "RATE_LIMITED",
      class: "rate_limited",
      resetsAt: "2026-11-25T08:00:20.000Z",
    });
    expect(modelFailure(failed({ status: 402, resetsInMs: 3_600_000 }), NOW)).toMatchObject({
      class: "quota",
      resetsAt: "2026-11-25T09:00:00.000Z",
    });
  });

  test("is left out where nobody has said one, or where waiting does not help", () => {
    expect(modelFailure(failed({ status: 429 }), NOW)).not.toHaveProperty("resetsAt");
    expect(modelFailure(failed({ status: 503, resetsInMs: 20_000 }), NOW)).not.toHaveProperty(
      "resetsAt",
    );
  });
});

describe("the message", () => {
  test("names the model, what happened and the provider's code", () => {
    const { message } = modelFailure(failed({ status: 429, errorCode: "tokens" }), NOW) ?? {};
    expect(message).toBe(
      'The model "m-1" answered with status 429 (tokens): too many requests for this credential',
    );
    expect(modelFailure(failed({ outcome: "hung", model: null }), NOW)?.message).toBe(
      "The model went silent: no byte for longer than the gateway waits",
    );
  });

  test("stays one short line, whatever a request has named", () => {
    const { message = "" } = modelFailure(failed({ model: `x\n${"y".repeat(10_000)}` }), NOW) ?? {};
    expect(message).toMatch(/^\P{Cc}{10,400}$/u);
  });
});
