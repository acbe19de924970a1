import type { FailureClass } from "./failure.ts";
import type { Phase, PipelinePhase } from "./phase.ts";
import type { Approval, AttemptFact, AttemptState, Outcome, RunState } from "./run-state.ts";

interface RunFacts {
  readonly pipeline: readonly PipelinePhase[];
  readonly phaseIx: number;
  readonly outcome: Outcome | null;
  readonly cleaned: boolean;
  readonly claimed: boolean;
  readonly cancelRequested: boolean;
  readonly needsInput: boolean;
  readonly cooledMs: number;
  /** The run it retries had changed the tree already. */
  readonly changedBefore: boolean;
}

interface AttemptFacts {
  readonly phase: Phase;
  readonly attempt: number;
  readonly state: AttemptState;
  readonly failureClass?: FailureClass;
  readonly changed: boolean;
  readonly takeovers?: number;
  /** What people decided about its proposed result. */
  readonly decision?: Exclude<Approval, "expired">;
}

/**
 * A run's state from its rows, for a worker that has just claimed it: what waited is due.
 *
 * @param attempts all of the run, oldest first
 */
export function stateOfRun(run: RunFacts, attempts: readonly AttemptFacts[]): RunState {
  if (run.outcome !== null) {
    const cleanups = attempts.filter((attempt) => attempt.phase === "cleanup");
    const running = cleanups.some((attempt) => attempt.state === "running");
    return {
      kind: "ended",
      outcome: run.outcome,
      cleanup: run.cleaned ? "done" : running ? "running" : "due",
      cleanupStarts: cleanups.length,
    };
  }
  const { pipeline, phaseIx, cancelRequested, cooledMs } = run;
  const here = attempts.filter((attempt) => attempt.phase === pipeline[phaseIx]);
  const live = {
    pipeline,
    phaseIx,
    cancelRequested,
    cooledMs,
    earlier: here.flatMap(endedFact),
    changed:
      run.changedBefore ||
      attempts.some((attempt) => attempt.state === "succeeded" && attempt.changed),
  };
  const running = here.find((attempt) => attempt.state === "running");
  if (running !== undefined) {
    return { ...live, kind: "running", attempt: running.attempt };
  }
  const proposed = here.find((attempt) => attempt.state === "proposed");
  if (proposed !== undefined) {
    const { attempt, decision = "none" } = proposed;
    return { ...live, kind: "proposed", attempt, decision };
  }
  if (run.needsInput) {
    return { ...live, kind: "needs_input" };
  }
  return { ...live, kind: run.claimed ? "ready" : "queued" };
}

function endedFact(attempt: AttemptFacts): readonly AttemptFact[] {
  const { state, failureClass, takeovers = 0 } = attempt;
  if (state === "running" || state === "proposed" || state === "skipped") {
    return [];
  }
  return [
    {
      state,
      ...(takeovers > 0 ? { takeovers } : {}),
      ...(failureClass === undefined ? {} : { failureClass }),
    },
  ];
}
