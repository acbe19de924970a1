import { describe, expect, test } from "vitest";
import { attemptAccount } from "../../../src/adapters/gateway/attempt-account.ts";
import type { ModelCall, ModelLimits } from "../../../src/ports/model-gateway.ts";

function account(limits: ModelLimits = {}) {
  const attempt = { runId: "r", phase: "plan", attempt: 1, expiresInMs: 1_000, limits };
  return attemptAccount(attempt, {});
}

function call(more: Partial<ModelCall> = {}): ModelCall {
  return {
    startedAt: new Date(0),
    model: "m",
    status: 200,
    outcome: "completed",
    errorCode: null,
    resetsInMs: null,
    usage: { inputTokens: 10, cachedInputTokens: 4, outputTokens: 2 },
    costUsd: 0.5,
    headersMs: 1,
    durationMs: 2,
    ...more,
  };
}

describe("an attempt's account", () => {
  test("keeps the newest 1 000 calls and the sum of all", () => {
    const { add, report } = account();
    for (let ix = 0; ix < 1_003; ix += 1) {
      add(call({ durationMs: ix }));
    }
    expect(report().calls.length).toBe(1_000);
    expect(report().calls.at(0)?.durationMs).toBe(3);
    expect(report().calls.at(-1)?.durationMs).toBe(1_002);
    expect(report().usage).toEqual({
      inputTokens: 10_030,
      cachedInputTokens: 4_012,
      outputTokens: 2_006,
      costUsd: 501.5,
      calls: 1_003,
    });
  });

  test("counts a call nobody has told the tokens of as a call alone", () => {
    const { add, report } = account();
    add(call({ outcome: "cut", usage: null, costUsd: null }));
    expect(report().usage).toEqual({
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      costUsd: 0,
      calls: 1,
    });
  });

  test("goes on from what was counted elsewhere", async () => {
    const spent = { inputTokens: 90, cachedInputTokens: 0, outputTokens: 5, costUsd: 3, calls: 7 };
    const attempt = { phase: "plan", limits: { tokensLeft: 100 } };
    const { add, ended, refusal, report } = attemptAccount(attempt, {}, spent);
    expect(refusal("m")).toBeUndefined();
    add(call());
    expect((await ended).message).toBe(
      "plan: used 107 tokens (100 in, 7 out) in 8 calls; the run had 100 left",
    );
    expect(refusal("m")).toMatchObject({ code: "token_limit_reached" });
    expect(report()).toMatchObject({ calls: [{}], usage: { calls: 8, costUsd: 3.5 } });
  });

  test.each([
    ["token_limit_reached", "TOKEN_LIMIT_REACHED", { tokensLeft: 12 }],
    ["cost_limit_reached", "COST_LIMIT_REACHED", { usdLeft: 0.5 }],
    ["price_unknown", "PRICE_UNKNOWN", { usdLeft: 5 }],
  ])("ends when somebody else has refused a call as %s", async (errorCode, code, limits) => {
    const { add, ended } = account(limits);
    add(call());
    add(call({ outcome: "refused", status: null, usage: null, costUsd: null, errorCode }));
    expect(await ended).toMatchObject({ code });
  });

  test("tells the first limit that was crossed, and no other", async () => {
    const { add, ended } = account({ tokensLeft: 20, usdLeft: 0.9 });
    add(call());
    add(call());
    add(call());
    expect(await ended).toMatchObject({
      code: "TOKEN_LIMIT_REACHED",
      message: "plan: used 24 tokens (20 in, 4 out) in 2 calls; the run had 20 left",
    });
  });

  test("ends the attempt when two calls in a row have hung, and not before", async () => {
    const { add, ended } = account();
    let told: unknown;
    void ended.then((failure) => {
      told = failure;
    });
    const hung = call({ outcome: "hung", status: null, usage: null, costUsd: null });
    for (const next of [hung, call(), hung, call({ outcome: "failed", status: 500 })]) {
      add(next);
    }
    await Promise.resolve();
    expect(told).toBeUndefined();
    add(hung);
    add(hung);
    expect(await ended).toMatchObject({ code: "MODEL_HUNG", class: "transient" });
  });
});
