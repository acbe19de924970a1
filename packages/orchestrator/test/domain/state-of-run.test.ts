import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, type RunEvent } from "../../src/domain/decide.ts";
import type { FailureClass } from "../../src/domain/failure.ts";
import { neverStarted } from "../../src/domain/never-started.ts";
import { type Phase, type PipelinePhase, pipelineFor } from "../../src/domain/phase.ts";
import { newRunState, type RunState } from "../../src/domain/run-state.ts";
import { stateOfRun } from "../../src/domain/state-of-run.ts";
import { anyHistory, anyPipeline, limitedHistory } from "./arbitrary-run.ts";

type Run = Parameters<typeof stateOfRun>[0];
type Attempt = Parameters<typeof stateOfRun>[1][number];
type Rows = { readonly run: Run; readonly attempts: readonly Attempt[] };

/** The rows an owner writes for an event that was accepted: the other way to remember a history. */
function written(rows: Rows, event: RunEvent, before: RunState, after: RunState): Rows {
  const phase: Phase =
    before.kind === "ended" ? "cleanup" : (before.pipeline[before.phaseIx] as PipelinePhase);
  const attempts = withAttempt(rows.attempts, phase, event);
  const run: Run = {
    ...rows.run,
    claimed: rows.run.claimed || event.type === "run.claimed",
    cancelRequested: rows.run.cancelRequested || event.type === "run.cancel_requested",
    needsInput:
      after.kind === "needs_input" ||
      (after.kind === "proposed" && ["none", "expired"].includes(after.decision)),
    cooledMs: after.kind === "ended" ? rows.run.cooledMs : after.cooledMs,
    ...(after.kind === "ended"
      ? { outcome: after.outcome, cleaned: after.cleanup === "done" }
      : { phaseIx: after.phaseIx }),
  };
  const started = attempts.map((attempt) => attempt.phase);
  const closing =
    before.kind !== "ended" && after.kind === "ended"
      ? neverStarted(run.pipeline, started, after.outcome)
      : [];
  return {
    run,
    attempts: [...attempts, ...closing.map((row) => ({ ...row, attempt: 0, changed: false }))],
  };
}

function withAttempt(
  attempts: readonly Attempt[],
  phase: Phase,
  event: RunEvent,
): readonly Attempt[] {
  if (event.type === "phase.started") {
    const number = attempts.filter((attempt) => attempt.phase === phase).length + 1;
    return [...attempts, { phase, attempt: number, state: "running", changed: false }];
  }
  const end = endOf(event);
  return attempts.map((attempt) =>
    (attempt.state === "running" || attempt.state === "proposed") && end !== undefined
      ? { ...attempt, ...end }
      : attempt,
  );
}

function endOf(event: RunEvent): Partial<Attempt> | undefined {
  const interrupted: FailureClass = "interrupted";
  switch (event.type) {
    case "phase.proposed":
      return { state: "proposed" };
    case "run.approved":
      return { decision: "approved" };
    case "run.declined":
      return { decision: "rejected" };
    case "phase.succeeded":
      return { state: "succeeded", changed: event.changed };
    case "phase.failed":
      return { state: "failed", failureClass: event.failureClass };
    case "phase.interrupted":
      return { state: "interrupted", failureClass: interrupted };
    case "phase.cancelled":
      return { state: "cancelled" };
    default:
      return undefined;
  }
}

describe("stateOfRun", () => {
  test("rebuilds from rows what folding the events gives", () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(anyPipeline, fc.oneof(anyHistory, limitedHistory), (pipeline, history) => {
        let state = newRunState(pipeline);
        let rows: Rows = {
          run: {
            pipeline,
            phaseIx: 0,
            outcome: null,
            cleaned: false,
            claimed: false,
            cancelRequested: false,
            needsInput: false,
            cooledMs: 0,
            changedBefore: false,
          },
          attempts: [],
        };
        for (const event of history) {
          const decision = decide(state, event);
          if (decision.accepted) {
            rows = written(rows, event, state, decision.state);
            state = decision.state;
          }
          kinds.add(state.kind);
          expect(stateOfRun(rows.run, rows.attempts)).toEqual(asClaimed(state));
        }
      }),
      { numRuns: 5_000 },
    );
    expect([...kinds].sort()).toEqual([
      "ended",
      "limited",
      "needs_input",
      "proposed",
      "queued",
      "ready",
      "running",
      "waiting",
    ]);
  });

  test("only a success changes the tree, and only a start is an attempt", () => {
    const pipeline = pipelineFor();
    const run = {
      pipeline,
      phaseIx: 1,
      outcome: null,
      cleaned: false,
      claimed: true,
      needsInput: false,
      cooledMs: 0,
      changedBefore: false,
    };
    const rows: readonly Attempt[] = [
      { phase: "specify", attempt: 0, state: "skipped", changed: false },
      { phase: "specify", attempt: 1, state: "failed", failureClass: "transient", changed: true },
    ];
    expect(stateOfRun({ ...run, cancelRequested: false }, rows)).toMatchObject({
      kind: "ready",
      changed: false,
      earlier: [{ state: "failed", failureClass: "transient" }],
    });
  });

  test("an ended run has its outcome, whatever its phases were", () => {
    const run = {
      pipeline: pipelineFor(),
      phaseIx: 3,
      cancelRequested: true,
      claimed: true,
      needsInput: false,
      cooledMs: 0,
      changedBefore: false,
    };
    expect(stateOfRun({ ...run, outcome: "failed", cleaned: true }, [])).toEqual({
      kind: "ended",
      outcome: "failed",
      cleanup: "done",
      cleanupStarts: 0,
    });
  });
});

/**
 * A worker reads the rows after its claim: what waited is due, the row knows no tier, no limit, and no
 * end of patience.
 */
function asClaimed(state: RunState): RunState {
  if (state.kind === "proposed" && state.decision === "expired") {
    return { ...state, decision: "none" };
  }
  if (state.kind === "limited") {
    return { ...state, kind: "ready" };
  }
  if (state.kind !== "waiting") {
    return state;
  }
  const { kind: _waiting, tierMs: _tier, ...live } = state;
  return { ...live, kind: "ready" };
}
