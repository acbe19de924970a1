import { wakeUp } from "../contract/wake-up.ts";
import { failure } from "../domain/failure.ts";
import type { RunState } from "../domain/run-state.ts";
import { stateOfRun } from "../domain/state-of-run.ts";
import type { AttemptRecord, RunRecord } from "../ports/run-repository.ts";
import type { DeliveryVerdict } from "../ports/transport.ts";
import { attemptPhase } from "./attempt-phase.ts";
import type { Dependencies } from "./dependencies.ts";
import type { EventRelay } from "./event-relay.ts";
import type { HeldLease } from "./lease-keeper.ts";
import { cleanUp } from "./phases/cleanup.ts";
import { recordEnd } from "./record-end.ts";

export type CarryDependencies = Dependencies & { readonly relay: EventRelay };

/** Where the owner stands: the run as last read, and what it holds. */
export interface Situation {
  readonly run: RunRecord;
  readonly attempts: readonly AttemptRecord[];
  readonly state: RunState;
  readonly lease: HeldLease;
  /** Aborts when this worker must let go of everything. */
  readonly stopping: AbortSignal;
}

/**
 * The owner's program: looks at where the run is and does the next thing, one commit per phase,
 * until the run is closed, must wait, or is handed on. What it knows it reads from the row after
 * each commit, so a new owner continues with the same program from the same place.
 *
 *   ended             clean up, close the run
 *   attempt open      its owner is gone, and a process job with it: interrupted
 *   cancel requested  end as cancelled
 *   stopping, or the  give the lease back, hand the run on
 *     hold is over
 *   ready             start the next attempt, carry it out, commit its result
 *   waiting           (lease given back by that commit) come again by the retry tier
 *
 * Cut anywhere, the row says what was last true; nothing outside the database is believed.
 */
export async function carryRun(
  deps: CarryDependencies,
  claimed: RunRecord,
  claimedAttempts: readonly AttemptRecord[],
  lease: HeldLease,
  stopping: AbortSignal,
): Promise<DeliveryVerdict> {
  const { runId } = claimed;
  const holdUntilMs = deps.clock.monotonicMs() + deps.settings.holdMs;
  let run: RunRecord = claimed;
  let attempts = claimedAttempts;
  for (;;) {
    lease.lost.throwIfAborted();
    const situation = { run, attempts, state: stateOf(run, attempts), lease, stopping };
    const holdIsOver = deps.clock.monotonicMs() >= holdUntilMs;
    const verdict = await step(deps, situation, holdIsOver);
    deps.relay.kick(runId);
    if (verdict !== undefined) {
      return verdict;
    }
    run = (await deps.runs.findRun(runId)) ?? run;
    attempts = await deps.runs.attemptsOf(runId);
  }
}

/** @returns undefined when something was recorded and the next step may follow */
async function step(
  deps: CarryDependencies,
  situation: Situation,
  holdIsOver: boolean,
): Promise<DeliveryVerdict | undefined> {
  const { run, attempts, state, lease, stopping } = situation;
  if (state.kind === "ended") {
    const open = attempts.find((row) => row.phase === "cleanup" && row.state === "running");
    await cleanUp(deps, run, lease.hold, open);
    return { do: "ack" };
  }
  if (state.kind === "running") {
    const { attempt } = state;
    const gone = failure("WORKER_REPLACED", "The worker that had started it is gone");
    await recordEnd(deps, situation, { how: "interrupted", attempt, failure: gone });
    return undefined;
  }
  if (run.cancelRequested || lease.cancelled.aborted) {
    await recordEnd(deps, situation, { how: "cancelled" });
    return undefined;
  }
  if (stopping.aborted || holdIsOver) {
    await deps.runs.releaseRun(lease.hold, [{ type: "run.handed_over" }]);
    return handOn(run.runId);
  }
  const next = await attemptPhase(deps, situation);
  return next.kind === "waiting"
    ? {
        do: "publish_and_ack",
        wakeUp: wakeUp(run.runId),
        route: { to: "work", afterMs: next.tierMs },
      }
    : undefined;
}

/** The wake-up that hands a run on at once. */
function handOn(runId: string): DeliveryVerdict {
  return { do: "publish_and_ack", wakeUp: wakeUp(runId), route: { to: "work" } };
}

function stateOf(run: RunRecord, attempts: readonly AttemptRecord[]): RunState {
  return stateOfRun(
    {
      pipeline: run.pipeline,
      phaseIx: run.phaseIx,
      outcome: run.outcome,
      cleaned: run.cleanedAt !== null,
      claimed: run.epoch > 0,
      cancelRequested: run.cancelRequested,
    },
    attempts.map(({ phase, attempt, state, changed, failure: failed }) => ({
      phase,
      attempt,
      state,
      changed,
      ...(failed === null ? {} : { failureClass: failed.class }),
    })),
  );
}
