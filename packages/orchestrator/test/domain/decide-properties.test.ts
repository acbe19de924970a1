import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, type RunEvent } from "../../src/domain/decide.ts";
import type { FailureClass } from "../../src/domain/failure.ts";
import { RETRY_BUDGET, RETRY_TIERS_MS } from "../../src/domain/retry-policy.ts";
import { newRunState, type Outcome, type RunState } from "../../src/domain/run-state.ts";
import {
  anyEvent,
  anyHistory,
  anyPipeline,
  deepFreeze,
  limitedHistory,
  stepsOf,
} from "./arbitrary-run.ts";

const runs = { numRuns: 400 };

/** What spends no budget: only starts are counted. */
const FREE: readonly FailureClass[] = [
  "interrupted",
  "host_lost",
  "needs_input",
  "rate_limited",
  "quota",
];

/** Phases that mostly end in one way, again and again: random ones rarely come to a budget's end. */
const stubbornHistory = fc
  .constantFrom<RunEvent>(
    { type: "phase.interrupted" },
    { type: "phase.failed", failureClass: "transient" },
    { type: "phase.failed", failureClass: "timeout" },
    { type: "phase.failed", failureClass: "invalid_output" },
  )
  .chain((usual) =>
    fc.array(
      fc.oneof({ weight: 15, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: anyEvent }),
      { minLength: 20, maxLength: 40 },
    ),
  )
  .map((ends) =>
    ends.flatMap((end): RunEvent[] => [{ type: "run.claimed" }, { type: "phase.started" }, end]),
  );

describe("decide, over random histories", () => {
  test("gives the same decision for the same input, and throws for none", () => {
    fc.assert(
      fc.property(anyPipeline, anyHistory, (pipeline, history) => {
        for (const { before, event, after } of stepsOf(pipeline, history)) {
          const again = decide(before, event);
          expect(again.accepted ? again.state : undefined).toEqual(after);
        }
      }),
      runs,
    );
  });

  test("never reaches a state that cannot be", () => {
    fc.assert(
      fc.property(anyPipeline, anyHistory, (pipeline, history) => {
        for (const { after } of stepsOf(pipeline, history)) {
          if (after !== undefined && after.kind !== "ended") {
            expect(after.pipeline).toBe(pipeline);
            expect(Number.isInteger(after.phaseIx)).toBe(true);
            expect(after.phaseIx).toBeGreaterThanOrEqual(0);
            expect(after.phaseIx).toBeLessThan(pipeline.length);
            expect(after.earlier.length).toBeLessThan(20);
            expect(after.earlier.every((fact) => fact.state !== "succeeded")).toBe(true);
          }
          if (after?.kind === "running" || after?.kind === "proposed") {
            expect(after.attempt).toBe(after.earlier.length + 1);
          }
          if (after?.kind === "waiting") {
            expect([...RETRY_TIERS_MS, null]).toContain(after.tierMs);
          }
        }
      }),
      runs,
    );
  });

  test("moves a phase on by one, and only by its success", () => {
    fc.assert(
      fc.property(anyPipeline, anyHistory, (pipeline, history) => {
        for (const { before, event, after } of stepsOf(pipeline, history)) {
          if (before.kind !== "ended" && after !== undefined && after.kind !== "ended") {
            const moved = after.phaseIx - before.phaseIx;
            expect(moved).toBe(event.type === "phase.succeeded" ? 1 : 0);
          }
        }
      }),
      runs,
    );
  });

  test("spends at most 3 transient, 1 timeout and 2 repair retries and 20 starts per phase", () => {
    const most = { starts: 0, transient: 0, timeout: 0, invalid_output: 0 };
    fc.assert(
      fc.property(anyPipeline, fc.oneof(anyHistory, stubbornHistory), (pipeline, history) => {
        const spent = new Map<string, number>();
        const count = (key: string): number => {
          const sum = (spent.get(key) ?? 0) + 1;
          spent.set(key, sum);
          return sum;
        };
        for (const { before, event, after } of stepsOf(pipeline, history)) {
          if (before.kind === "ended" || after === undefined) {
            continue;
          }
          if (event.type === "phase.started") {
            const starts = count(`start ${before.phaseIx}`);
            most.starts = Math.max(most.starts, starts);
            expect(starts).toBeLessThanOrEqual(20);
          }
          if (event.type === "phase.failed" && after.kind !== "ended") {
            const { failureClass } = event;
            const retries = count(`${failureClass} ${before.phaseIx}`);
            const isFree = FREE.includes(failureClass);
            expect(retries).toBeLessThanOrEqual(isFree ? 19 : (RETRY_BUDGET[failureClass] ?? 0));
            if (failureClass in most) {
              const name = failureClass as keyof typeof most;
              most[name] = Math.max(most[name], retries);
            }
          }
        }
      }),
      { numRuns: 600 },
    );
    expect(most).toEqual({ starts: 20, transient: 3, timeout: 1, invalid_output: 2 });
  });

  test("a proposed result becomes the phase's only by approval, and ends only by what was decided", () => {
    const seen = { approved: 0, rejected: 0, expired: 0 };
    fc.assert(
      fc.property(anyPipeline, anyHistory, (pipeline, history) => {
        let decided: keyof typeof seen | undefined;
        for (const { before, event, after } of stepsOf(pipeline, history)) {
          if (after === undefined) {
            continue;
          }
          decided =
            event.type === "run.approved"
              ? "approved"
              : event.type === "run.declined"
                ? "rejected"
                : event.type === "run.input_expired"
                  ? "expired"
                  : event.type === "phase.proposed"
                    ? undefined
                    : decided;
          if (before.kind !== "proposed" || after.kind === "proposed") {
            continue;
          }
          if (event.type === "phase.cancelled") {
            expect(before.cancelRequested).toBe(true);
            continue;
          }
          expect(decided).toBeDefined();
          seen[decided ?? "expired"] += 1;
          expect(event.type).toBe(decided === "approved" ? "phase.succeeded" : "phase.failed");
          if (decided === "rejected" && after.kind === "ready" && event.type === "phase.failed") {
            expect(after.earlier.at(-1)).toEqual({
              state: "failed",
              failureClass: event.failureClass,
            });
          }
        }
      }),
      { numRuns: 1_000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
  });

  test("a limit that was met is waited for: nothing starts before the run has cooled down", () => {
    let limited = 0;
    fc.assert(
      fc.property(anyPipeline, fc.oneof(anyHistory, limitedHistory), (pipeline, history) => {
        for (const { before, event, after } of stepsOf(pipeline, history)) {
          if (event.type === "phase.failed" && after !== undefined && after.kind !== "ended") {
            const isLimit = ["rate_limited", "quota"].includes(event.failureClass);
            expect(after.kind === "limited").toBe(isLimit);
            limited += isLimit ? 1 : 0;
          }
          if (before.kind === "limited" && event.type === "phase.started") {
            expect(after).toBeUndefined();
          }
        }
      }),
      runs,
    );
    expect(limited).toBeGreaterThan(10);
  });

  test("a run rests for limits 24 hours at most, and says how long it has", () => {
    const most = { restedMs: 0, ended: 0 };
    fc.assert(
      fc.property(anyPipeline, fc.oneof(anyHistory, limitedHistory), (pipeline, history) => {
        let restedMs = 0;
        for (const { before, event, after } of stepsOf(pipeline, history)) {
          if (event.type === "run.cooling" && after !== undefined) {
            restedMs += event.coolDownMs;
            expect(["ready", "limited"]).toContain(before.kind);
            expect(after.kind).toBe(restedMs > 86_400_000 ? "ended" : "waiting");
            most.ended += after.kind === "ended" ? 1 : 0;
          }
          if (after !== undefined && after.kind !== "ended") {
            expect(after.cooledMs).toBe(restedMs);
            expect(restedMs).toBeLessThanOrEqual(86_400_000);
            most.restedMs = Math.max(most.restedMs, restedMs);
          }
        }
      }),
      runs,
    );
    expect(most.ended).toBeGreaterThan(0);
    expect(most.restedMs).toBeGreaterThan(3_600_000);
  });

  test("never changes an outcome, and never leaves the end", () => {
    const seen = new Set<Outcome>();
    fc.assert(
      fc.property(anyPipeline, anyHistory, (pipeline, history) => {
        let ended: Extract<RunState, { kind: "ended" }> | undefined;
        for (const { after } of stepsOf(pipeline, history)) {
          if (ended !== undefined && after !== undefined) {
            expect(after).toMatchObject({ kind: "ended", outcome: ended.outcome });
          }
          ended = after?.kind === "ended" ? after : ended;
        }
        if (ended !== undefined) {
          seen.add(ended.outcome);
        }
      }),
      { numRuns: 1_500 },
    );
    expect([...seen].sort()).toEqual(["cancelled", "failed", "no_changes", "succeeded"]);
  });

  test("a cancel that was requested before the end wins", () => {
    let cancelled = 0;
    fc.assert(
      fc.property(anyPipeline, anyHistory, (pipeline, history) => {
        let asked = false;
        for (const { event, after } of stepsOf(pipeline, history)) {
          if (after?.kind === "ended") {
            expect(after.outcome === "cancelled").toBe(asked);
            cancelled += asked ? 1 : 0;
            return;
          }
          asked ||= event.type === "run.cancel_requested" && after !== undefined;
        }
      }),
      runs,
    );
    expect(cancelled).toBeGreaterThan(10);
  });

  test("from every live state there is a way to the end and through cleanup", () => {
    fc.assert(
      fc.property(anyPipeline, anyHistory, (pipeline, history) => {
        const steps = stepsOf(pipeline, history);
        let state = deepFreeze(newRunState(pipeline));
        for (const { after } of steps) {
          state = after ?? state;
        }
        const onwards = (now: RunState): readonly RunEvent[] => [
          { type: "run.claimed" },
          { type: "run.answered" },
          { type: "run.approved" },
          ...(now.kind === "proposed"
            ? [{ type: "phase.failed", failureClass: "needs_input" } as const]
            : []),
          { type: "phase.started" },
          { type: "phase.succeeded", changed: false },
        ];
        for (let tries = 0; tries <= pipeline.length + 1; tries += 1) {
          for (const event of onwards(state)) {
            const decision = decide(state, event);
            state = decision.accepted ? decision.state : state;
          }
        }
        expect(state).toMatchObject({ kind: "ended", cleanup: "done" });
      }),
      runs,
    );
  });
});
