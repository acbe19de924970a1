import { describe, expect, test } from "vitest";
import { decide, type RunEvent } from "../../src/domain/decide.ts";
import { FAILURE_CLASSES } from "../../src/domain/failure.ts";
import { pipelineFor } from "../../src/domain/phase.ts";
import { newRunState, type RunState } from "../../src/domain/run-state.ts";
import { deepFreeze } from "./arbitrary-run.ts";

const claimed: RunEvent = { type: "run.claimed" };
const started: RunEvent = { type: "phase.started" };
const unchanged: RunEvent = { type: "phase.succeeded", changed: false };
const changed: RunEvent = { type: "phase.succeeded", changed: true };
const interrupted: RunEvent = { type: "phase.interrupted" };
const cancelRequested: RunEvent = { type: "run.cancel_requested" };
const cancelled: RunEvent = { type: "phase.cancelled" };
const transient: RunEvent = { type: "phase.failed", failureClass: "transient" };

function stateAfter(...events: readonly RunEvent[]): RunState {
  return events.reduce(
    (state, event) => {
      const decision = decide(state, event);
      if (!decision.accepted) {
        throw new Error(`${event.type} refused in ${state.kind}: ${decision.why}`);
      }
      return deepFreeze(decision.state);
    },
    deepFreeze(newRunState(pipelineFor())),
  );
}

const times = (count: number, ...events: readonly RunEvent[]): readonly RunEvent[] =>
  Array.from({ length: count }).flatMap(() => events);

describe("decide", () => {
  test("carries a run whose phases all succeed to its outcome", () => {
    const five = [claimed, ...times(5, started, unchanged)];
    expect(stateAfter(...five, started, unchanged)).toMatchObject({ outcome: "no_changes" });
    expect(stateAfter(...five, started, changed)).toMatchObject({ outcome: "succeeded" });
    expect(stateAfter(claimed, started, changed, ...times(5, started, unchanged))).toEqual({
      kind: "ended",
      outcome: "succeeded",
      cleanup: "due",
      cleanupStarts: 0,
    });
  });

  test("waits through the retry tiers in turn, then gives up", () => {
    const tries = (count: number) => [claimed, ...times(count, started, transient, claimed)];
    const lastTier = (count: number) => stateAfter(...tries(count), started, transient);
    expect(lastTier(0)).toMatchObject({ kind: "waiting", tierMs: 5_000 });
    expect(lastTier(1)).toMatchObject({ kind: "waiting", tierMs: 30_000 });
    expect(lastTier(2)).toMatchObject({ kind: "waiting", tierMs: 120_000 });
    expect(lastTier(3)).toMatchObject({ kind: "ended", outcome: "failed" });
  });

  test("starts an interrupted phase again at once, 20 times at most", () => {
    expect(stateAfter(claimed, ...times(19, started, interrupted))).toMatchObject({
      kind: "ready",
    });
    expect(stateAfter(claimed, ...times(20, started, interrupted))).toMatchObject({
      outcome: "failed",
    });
  });

  test("waits for a limit to end, and spends no budget for it", () => {
    const limited: RunEvent = { type: "phase.failed", failureClass: "rate_limited" };
    const cooling: RunEvent = { type: "run.cooling", coolDownMs: 60_000 };
    const met = times(10, started, limited, cooling, claimed);
    expect(stateAfter(claimed, started, limited)).toMatchObject({ kind: "limited" });
    expect(stateAfter(claimed, started, limited, cooling)).toMatchObject({
      kind: "waiting",
      tierMs: null,
      cooledMs: 60_000,
    });
    expect(stateAfter(claimed, ...met, started, transient)).toMatchObject({
      kind: "waiting",
      tierMs: 5_000,
      cooledMs: 600_000,
    });
  });

  test("rests before a phase without a start, 24 hours at most", () => {
    const hour: RunEvent = { type: "run.cooling", coolDownMs: 3_600_000 };
    const rested = times(24, claimed, hour);
    expect(stateAfter(...rested)).toMatchObject({ kind: "waiting", earlier: [] });
    expect(stateAfter(...rested, claimed, started, unchanged)).toMatchObject({ phaseIx: 1 });
    expect(stateAfter(...rested, claimed, hour)).toMatchObject({ outcome: "failed" });
    expect(stateAfter(...rested, cancelRequested, claimed, hour)).toMatchObject({
      outcome: "cancelled",
    });
  });

  test("a budget is a phase's own", () => {
    const spent = times(3, started, transient, claimed);
    expect(stateAfter(claimed, ...spent, started, unchanged, ...spent)).toMatchObject({
      kind: "ready",
      phaseIx: 1,
    });
  });

  test("a claim leaves a running phase alone: its new owner first records what became of it", () => {
    const running = stateAfter(claimed, started);
    expect(decide(running, claimed)).toEqual({ accepted: true, state: running });
  });

  test.each(FAILURE_CLASSES)(
    "a cancel beats an attempt that failed with class %s",
    (failureClass) => {
      expect(
        stateAfter(claimed, started, cancelRequested, { type: "phase.failed", failureClass }),
      ).toMatchObject({ kind: "ended", outcome: "cancelled" });
    },
  );

  test("a cancel ends the run with the open attempt, also between phases and in a wait", () => {
    const ended = { kind: "ended", outcome: "cancelled" };
    expect(stateAfter(claimed, started, cancelRequested, unchanged)).toMatchObject(ended);
    expect(stateAfter(claimed, started, cancelRequested, interrupted)).toMatchObject(ended);
    expect(stateAfter(claimed, started, transient, cancelRequested, cancelled)).toMatchObject(
      ended,
    );
    expect(stateAfter(cancelRequested, claimed, cancelled)).toMatchObject(ended);
  });

  test.each<[string, readonly RunEvent[], RunEvent, string]>([
    ["a start before the claim", [], started, "the run was not claimed yet"],
    ["a second start", [claimed, started], started, "a phase is running"],
    ["a start while waiting", [claimed, started, transient], started, "the run waits"],
    [
      "a start after a limit",
      [claimed, started, { type: "phase.failed", failureClass: "quota" }],
      started,
      "the run must cool down",
    ],
    [
      "a cool-down in a phase",
      [claimed, started],
      { type: "run.cooling", coolDownMs: 1 },
      "a phase is running",
    ],
    ["an end without a start", [claimed], unchanged, "no phase is running"],
    ["an unasked cancel", [claimed, started], cancelled, "no cancel was requested"],
    ["a cancel after the end", [cancelRequested, cancelled], cancelRequested, "the run has ended"],
    [
      "a start after cleanup",
      [cancelRequested, cancelled, started, unchanged],
      started,
      "the run has ended",
    ],
    ["an end of no cleanup", [cancelRequested, cancelled], unchanged, "no phase is running"],
  ])("refuses %s", (_name, before, event, why) => {
    expect(decide(stateAfter(...before), event)).toEqual({ accepted: false, why });
  });

  test("an owner that died right after cleanup's last event is followed by another", () => {
    const cleaned = stateAfter(cancelRequested, cancelled, started, unchanged);
    expect(decide(cleaned, claimed)).toEqual({ accepted: true, state: cleaned });
  });

  test("cleanup is started again after it failed or was interrupted", () => {
    const ended = [cancelRequested, cancelled];
    const twice = stateAfter(...ended, started, transient, claimed, started, interrupted, started);
    expect(twice).toMatchObject({ cleanup: "running", cleanupStarts: 3, outcome: "cancelled" });
  });

  describe("a result that people look at", () => {
    const proposed: RunEvent = { type: "phase.proposed" };
    const approved: RunEvent = { type: "run.approved" };
    const declined: RunEvent = { type: "run.declined" };
    const expired: RunEvent = { type: "run.input_expired" };
    const rejected: RunEvent = { type: "phase.failed", failureClass: "needs_input" };
    const waits = [claimed, started, proposed];

    test("keeps the run where it is until it is approved, then the phase has succeeded", () => {
      expect(stateAfter(...waits)).toMatchObject({ kind: "proposed", phaseIx: 0, attempt: 1 });
      const { why } = decide(stateAfter(...waits, claimed), changed) as { why: string };
      expect(why).toBe("the run needs input");
      expect(stateAfter(...waits, approved, claimed, changed)).toMatchObject({
        kind: "ready",
        phaseIx: 1,
        changed: true,
        earlier: [],
      });
    });

    test("starts the phase again when it is rejected, spending no budget, 20 times at most", () => {
      const again = [...waits, declined, claimed, rejected];
      expect(stateAfter(...again)).toMatchObject({ kind: "ready", phaseIx: 0, changed: false });
      const spent = times(3, started, transient, claimed);
      expect(stateAfter(...again, ...spent)).toMatchObject({ kind: "ready" });
      expect(stateAfter(...times(19, ...again))).toMatchObject({ kind: "ready" });
      expect(stateAfter(...times(20, ...again))).toMatchObject({ outcome: "failed" });
    });

    test("fails the run when nobody decides in time", () => {
      const permanent: RunEvent = { type: "phase.failed", failureClass: "permanent" };
      expect(stateAfter(...waits, expired, permanent)).toMatchObject({ outcome: "failed" });
    });

    test("is decided once, and concluded by that decision alone", () => {
      const nothing = { accepted: false, why: "nothing waits for approval" };
      expect(decide(stateAfter(...waits, approved), declined)).toEqual(nothing);
      expect(decide(stateAfter(...waits, declined), approved)).toEqual(nothing);
      expect(decide(stateAfter(claimed, started), approved)).toEqual(nothing);
      const other = { accepted: false, why: "something else was decided" };
      expect(decide(stateAfter(...waits, declined), changed)).toEqual(other);
      expect(decide(stateAfter(...waits, approved), rejected)).toEqual(other);
      expect(decide(stateAfter(...waits, approved), interrupted)).toEqual(other);
    });

    test("is cancelled like anything else, also when the cancel came before it", () => {
      const ended = { kind: "ended", outcome: "cancelled" };
      expect(stateAfter(...waits, cancelRequested, cancelled)).toMatchObject(ended);
      expect(
        stateAfter(claimed, started, cancelRequested, proposed, claimed, cancelled),
      ).toMatchObject(ended);
      expect(stateAfter(...waits, approved, cancelRequested, changed)).toMatchObject(ended);
    });
  });
});
