import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FAILURE_CLASSES, type FailureClass } from "../../src/domain/failure.ts";
import {
  dueInMs,
  judgeRetry,
  MAX_STARTS_PER_PHASE,
  RETRY_TIERS_MS,
  wakeInMs,
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
    expect(judgeRetry(failed(...earlier), failureClass)).toEqual(verdict);
  });

  test("interruptions spend no budget, but every start counts", () => {
    expect(judgeRetry(interrupted(18), "transient")).toEqual({ retry: "later", tierMs: 5_000 });
    expect(judgeRetry(interrupted(18), "interrupted")).toEqual({ retry: "now" });
    for (const failureClass of FAILURE_CLASSES) {
      expect(judgeRetry(interrupted(MAX_STARTS_PER_PHASE - 1), failureClass)).toEqual({
        retry: "never",
        because: "too many starts",
      });
    }
  });
});

describe("times of a wait", () => {
  const tier = fc.constantFrom(...RETRY_TIERS_MS);

  test("a run is due between 80 % of its tier and the moment the delayed message arrives", () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(tier, random, (tierMs, spread) => {
        const dueMs = dueInMs(tierMs, spread);
        expect(Number.isInteger(dueMs)).toBe(true);
        expect(dueMs).toBeGreaterThanOrEqual(tierMs * 0.8);
        expect(dueMs).toBeLessThanOrEqual(tierMs);
      }),
    );
    expect(dueInMs(5_000, 0)).toBe(4_000);
    expect(dueInMs(5_000, 0.5)).toBe(4_500);
  });

  test("the sweeper looks 15 s after the delayed message", () => {
    expect(RETRY_TIERS_MS.map(wakeInMs)).toEqual([20_000, 45_000, 135_000, 615_000, 1_815_000]);
  });
});
