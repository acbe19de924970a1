import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAILURE_CLASSES, type FailureClass } from "../../src/domain/failure.ts";
import {
  judgeRetry,
  MAX_STARTS_PER_PHASE,
  RETRY_TIERS_MS,
  retryWait,
} from "../../src/domain/retry-policy.ts";
import type { AttemptFact } from "../../src/domain/run-state.ts";

const failed = (...classes: readonly FailureClass[]): readonly AttemptFact[] =>
  classes.map((failureClass) => ({ state: "failed", failureClass }));
const interrupted = (count: number): readonly AttemptFact[] =>
  Array.from({ length: count }, () => ({ state: "interrupted", failureClass: "interrupted" }));

describe("judgeRetry", () => {
  test.each<[FailureClass, readonly FailureClass[], ReturnType<typeof judgeRetry>]>([
    ["transient", [], { retry: "later", tierMs: 5_000 }],
    ["transient", ["transient"], { retry: "later", tierMs: 30_000 }],
    ["transient", ["transient", "transient"], { retry: "later", tierMs: 120_000 }],
    [
      "transient",
      ["transient", "transient", "transient"],
      { retry: "never", because: "budget spent" },
    ],
    ["timeout", [], { retry: "later", tierMs: 5_000 }],
    ["timeout", ["timeout"], { retry: "never", because: "budget spent" }],
    ["timeout", ["transient", "transient"], { retry: "later", tierMs: 120_000 }],
    ["transient", ["timeout", "invalid_output"], { retry: "later", tierMs: 30_000 }],
    ["invalid_output", [], { retry: "now" }],
    ["invalid_output", ["invalid_output"], { retry: "now" }],
    [
      "invalid_output",
      ["invalid_output", "invalid_output"],
      { retry: "never", because: "budget spent" },
    ],
    ["interrupted", ["transient", "transient", "transient"], { retry: "now" }],
    ["host_lost", ["interrupted"], { retry: "now" }],
    ["rate_limited", ["rate_limited", "transient"], { retry: "after_cool_down" }],
    ["quota", [], { retry: "after_cool_down" }],
    ["permanent", [], { retry: "never", because: "permanent" }],
    ["bad_message", [], { retry: "never", because: "permanent" }],
    ["fenced", [], { retry: "never", because: "permanent" }],
  ])("%s after %j", (failureClass, earlier, verdict) => {
    expect(judgeRetry("plan", failed(...earlier), failureClass)).toEqual(verdict);
  });

  test("interruptions spend no budget, but every start counts", () => {
    expect(judgeRetry("plan", interrupted(18), "transient")).toEqual({
      retry: "later",
      tierMs: 5_000,
    });
    expect(judgeRetry("plan", interrupted(18), "interrupted")).toEqual({ retry: "now" });
    for (const failureClass of FAILURE_CLASSES) {
      expect(judgeRetry("plan", interrupted(MAX_STARTS_PER_PHASE - 1), failureClass)).toEqual({
        retry: "never",
        because: "too many starts",
      });
    }
  });
});

describe("of pull_request", () => {
  const transient = (count: number) => failed(...Array<"transient">(count).fill("transient"));

  test("ten starts, whatever its host says: the branch is there, nothing is lost by waiting", () => {
    const waits = Array.from({ length: 10 }, (_, count) =>
      judgeRetry("pull_request", transient(count), "transient"),
    );
    expect(waits.map((verdict) => ("tierMs" in verdict ? verdict.tierMs : verdict))).toEqual([
      ...RETRY_TIERS_MS,
      ...Array(4).fill(RETRY_TIERS_MS.at(-1)),
      { retry: "never", because: "budget spent" },
    ]);
  });

  test("other classes have their usual budget", () => {
    expect(judgeRetry("pull_request", failed("timeout"), "timeout").retry).toBe("never");
    expect(judgeRetry("pull_request", [], "permanent").retry).toBe("never");
  });
});

describe("the time of a wait", () => {
  const tier = fc.constantFrom(...RETRY_TIERS_MS);
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test("a run is due between 80 % of its tier and the moment the delayed message arrives", () => {
    fc.assert(
      fc.property(tier, random, (tierMs, spread) => {
        const { dueInMs } = retryWait(tierMs, undefined, spread);
        expect(Number.isInteger(dueInMs)).toBe(true);
        expect(dueInMs).toBeGreaterThanOrEqual(tierMs * 0.8);
        expect(dueInMs).toBeLessThanOrEqual(tierMs);
      }),
    );
    expect(retryWait(5_000, undefined, 0).dueInMs).toBe(4_000);
    expect(retryWait(5_000, undefined, 0.5).dueInMs).toBe(4_500);
  });

  test("the sweeper looks 15 s after the delayed message", () => {
    expect(RETRY_TIERS_MS.map((tierMs) => retryWait(tierMs, 1_000, 0).wakeInMs)).toEqual([
      20_000, 45_000, 135_000, 615_000, 1_815_000,
    ]);
  });

  test("not before the other side may be asked again, and then the sweeper looks", () => {
    expect(retryWait(5_000, 60_000, 0)).toEqual({ dueInMs: 60_000, wakeInMs: 60_000 });
    expect(retryWait(5_000, 60_000.5, 0.5)).toEqual({ dueInMs: 60_001, wakeInMs: 67_501 });
  });

  test("all waits of a phase together are at most a day, whatever it says", () => {
    const longest = retryWait(1_800_000, Number.MAX_SAFE_INTEGER, 0.99);
    expect(longest.dueInMs * 9).toBeLessThanOrEqual(86_400_000);
  });
});
