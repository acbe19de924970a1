import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coolDownMs, isLimit, spreadMs } from "../../src/domain/cool-down.ts";
import { FAILURE_CLASSES, type FailureClass } from "../../src/domain/failure.ts";
import type { AttemptFact } from "../../src/domain/run-state.ts";

const failed = (...classes: readonly FailureClass[]): readonly AttemptFact[] =>
  classes.map((failureClass) => ({ state: "failed", failureClass }));

describe("a run that met a limit rests", () => {
  test("as long as the provider says, or as long as such limits usually last", () => {
    expect(coolDownMs("rate_limited", 20_000, [], 0)).toBe(20_000);
    expect(coolDownMs("rate_limited", undefined, [], 0)).toBe(60_000);
    expect(coolDownMs("quota", undefined, [], 0)).toBe(900_000);
    expect(coolDownMs("quota", -5, [], 0)).toBe(0);
  });

  test("longer each time, so that a limit that is always nearly over starts no storm", () => {
    const met = (times: number) =>
      failed(...Array.from({ length: times }, () => "rate_limited" as const), "transient");
    expect(
      [0, 1, 2, 3, 4, 5, 18].map((times) => coolDownMs("rate_limited", 0, met(times), 0)),
    ).toEqual([0, 5_000, 30_000, 120_000, 600_000, 1_800_000, 1_800_000]);
    expect(coolDownMs("quota", 3_600_000, met(5), 0)).toBe(3_600_000);
  });

  test("spread by up to 30 s or a tenth, never less than asked for", () => {
    const rest = fc.integer({ min: 0, max: 86_400_000 });
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(rest, random, (restMs, spread) => {
        const spreadOut = spreadMs(restMs, spread);
        expect(Number.isInteger(spreadOut)).toBe(true);
        expect(spreadOut).toBeGreaterThanOrEqual(restMs);
        expect(spreadOut).toBeLessThanOrEqual(restMs + Math.min(30_000, restMs / 10) + 1);
      }),
    );
    expect(spreadMs(3_600_000, 0.5)).toBe(3_615_000);
    expect(spreadMs(20_000, 0.5)).toBe(21_000);
  });

  test("for limits alone", () => {
    expect(FAILURE_CLASSES.filter(isLimit)).toEqual(["rate_limited", "quota"]);
  });
});
