import { type WakeUp, wakeUp } from "../contract/wake-up.ts";
import { spreadMs } from "../domain/cool-down.ts";
import type { RunState } from "../domain/run-state.ts";
import { fencedError } from "../domain/speckit-error.ts";
import { stateOfRun } from "../domain/state-of-run.ts";
import type { AttemptRecord, RunRecord } from "../ports/run-record.ts";
import type { ClaimResult } from "../ports/run-repository.ts";
import type { DeliveryVerdict, WakeUpRoute } from "../ports/transport.ts";
import { attemptPhase } from "./attempt-phase.ts";
import { conclusionOf } from "./conclusion-of.ts";
import { credentialRestMs } from "./credential-rest.ts";
import type { Dependencies } from "./dependencies.ts";
import type { EventRelay } from "./event-relay.ts";
import { goOnWith } from "./go-on-with.ts";
import type { HeldLease } from "./lease-keeper.ts";
import { cleanUp } from "./phases/cleanup.ts";
import { recordEnd } from "./record-end.ts";
import { untilAvailable } from "./until-available.ts";
import { orLost } from "./while-held.ts";

export type CarryDependencies = Dependencies & {
  readonly relay: EventRelay;
  /** The engine this worker starts containers on. */
  readonly engineId?: string | undefined;
};

/** Where the owner stands: the run as last read, and what it holds. */
export interface Situation {
  readonly run: RunRecord;
  readonly attempts: readonly AttemptRecord[];
  readonly state: RunState;
  readonly lease: HeldLease;
  /** Aborts when this worker must let go of everything. */
  readonly stopping: AbortSignal;
}

type Claimed = Extract<ClaimResult, { readonly claimed: true }>;

/**
 * The owner's program: looks at where the run is and does the next thing, one commit per phase,
 * until the run is closed, must wait, or is handed on. What it knows it reads from the row after
 * each commit, so a new owner continues with the same program from the same place.
 *
 *   ended             clean up, close the run
 *   attempt open      its owner is gone: see `go-on-with.ts`
 *   cancel requested  end as cancelled
 *   stopping, or the  give the lease back, hand the run on
 *     hold is over
 *   unanswered        the time to answer is over: end as failed
 *   proposed          conclude the attempt by what people have decided, or have not in time
 *   its credential    rest until that may be used; nothing is started, nothing spent
 *     rests
 *   ready             start the next attempt, carry it out, commit its result
 *   waiting           (lease given back by that commit) come again by the retry tier, or, for a
 *                     credential, when the sweeper looks
 *   needs input       (the same) come again when people have answered, approved or rejected
 *
 * Cut anywhere, the row says what was last true; nothing outside the database is believed. The same
 * goes for a step whose answer was lost because the database went away: when it is back, the row is
 * read again, and the program goes on from what it says.
 *
 * @throws SpeckitError `RUN_FENCED` when the lease is lost
 */
export async function carryRun(
  deps: CarryDependencies,
  claimed: Claimed,
  lease: HeldLease,
  stopping: AbortSignal,
  options: {
    /** The delivery takes no slot: what comes after the open attempt is for one that does. */
    readonly isExtra?: boolean | undefined;
  } = {},
): Promise<DeliveryVerdict> {
  const holdMs = options.isExtra === true ? 0 : handOnAfterMs(deps);
  const holdUntilMs = deps.clock.monotonicMs() + holdMs;
  let known: Look | undefined = claimed;
  const nextStep = async (): Promise<DeliveryVerdict | undefined> => {
    const look: Look = known ?? (await lookAgain(deps, lease));
    known = undefined;
    lease.lost.throwIfAborted();
    if (look.run.leaseOwner === null) {
      return handOn(look.run.runId); // Our own commit gave it back, and its answer was lost.
    }
    const { run, attempts, leftAt } = look;
    const situation = { run, attempts, state: stateOf(run, attempts), lease, stopping };
    const holdIsOver = deps.clock.monotonicMs() >= holdUntilMs;
    return step(deps, situation, { holdIsOver, leftAt });
  };
  for (;;) {
    let verdict: DeliveryVerdict | undefined;
    try {
      verdict = await untilAvailable(deps, lease.lost, nextStep);
    } catch (error) {
      lease.lost.throwIfAborted();
      throw error;
    }
    deps.relay.kick(claimed.run.runId);
    if (verdict !== undefined) {
      return verdict;
    }
  }
}

/**
 * A run is handed on at the first phase boundary after half the hold: the next phase may take long,
 * and the broker takes back what is held for half an hour. Spread, so that runs that came in one
 * burst are not handed on in one.
 */
function handOnAfterMs({ clock, settings }: CarryDependencies): number {
  return (settings.holdMs / 2) * (0.8 + 0.4 * clock.random());
}

interface Look {
  readonly run: RunRecord;
  readonly attempts: readonly AttemptRecord[];
  readonly leftAt?: Date | null;
}

async function lookAgain(deps: CarryDependencies, lease: HeldLease): Promise<Look> {
  const { runId, epoch } = lease.hold;
  const run = await orLost(lease, deps.runs.findRun(runId));
  if (run === undefined || run.epoch !== epoch) {
    throw fencedError(runId, epoch);
  }
  return { run, attempts: await orLost(lease, deps.runs.attemptsOf(runId)) };
}

/** @returns undefined when something was recorded and the next step may follow */
async function step(
  deps: CarryDependencies,
  situation: Situation,
  { holdIsOver, leftAt }: { readonly holdIsOver: boolean; readonly leftAt: Look["leftAt"] },
): Promise<DeliveryVerdict | undefined> {
  const { run, attempts, state, lease, stopping } = situation;
  if (state.kind === "ended" && state.cleanup === "done") {
    return { do: "ack" }; // Our own commit closed it, and its answer was lost.
  }
  if (state.kind === "ended") {
    const open = attempts.find((row) => row.phase === "cleanup" && row.state === "running");
    await orLost(lease, cleanUp(deps, run, lease, open));
    return { do: "ack" };
  }
  if (state.kind === "running") {
    const open = attempts.find((row) => row.state === "running");
    const next = await goOnWith(deps, { ...situation, state }, open, leftAt);
    return next === "left"
      ? handOver(deps, situation, { to: "engine", engineId: deps.engineId ?? "" })
      : verdictOn(run, next);
  }
  if (run.cancelRequested || lease.cancelled.aborted) {
    const attempt = state.kind === "proposed" ? state.attempt : undefined;
    await recordEnd(deps, situation, { how: "cancelled", attempt });
    return undefined;
  }
  if (stopping.aborted || holdIsOver) {
    return handOver(deps, situation, { to: "work" });
  }
  if (state.kind === "needs_input") {
    await recordEnd(deps, situation, { how: "input_expired", round: run.questionRound });
    return undefined;
  }
  if (state.kind === "proposed") {
    await recordEnd(deps, situation, conclusionOf(situation, state));
    return undefined;
  }
  const restMs = await credentialRestMs(deps, situation);
  const next =
    restMs > 0
      ? await recordEnd(deps, situation, {
          how: "cooling",
          coolDownMs: spreadMs(restMs, deps.clock.random()),
        })
      : await attemptPhase(deps, situation);
  return next.kind === "running"
    ? handOver(deps, situation, { to: "engine", engineId: deps.engineId ?? "" })
    : verdictOn(run, next);
}

/** @returns undefined when the next step may follow */
function verdictOn({ runId }: RunRecord, next: RunState): DeliveryVerdict | undefined {
  switch (next.kind) {
    case "waiting":
      return next.tierMs === null
        ? { do: "ack" }
        : {
            do: "publish_and_ack",
            wakeUp: wakeUp(runId),
            route: { to: "work", afterMs: next.tierMs },
          };
    case "needs_input":
    case "proposed":
      return { do: "ack" };
    default:
      return undefined;
  }
}

/** Gives the run back in good order. An open attempt in a container stays open for the next owner. */
async function handOver(
  deps: CarryDependencies,
  { run, lease }: Situation,
  route: WakeUpRoute,
): Promise<DeliveryVerdict> {
  await lease.giveBack(() =>
    orLost(lease, deps.runs.releaseRun(lease.hold, [{ type: "run.handed_over" }])),
  );
  await deps.reach?.("run.released", { runId: run.runId });
  return { do: "publish_and_ack", wakeUp: wakeUpOn(run.runId, route), route };
}

function wakeUpOn(runId: string, route: WakeUpRoute): WakeUp {
  return route.to === "engine" ? { ...wakeUp(runId), sticky: true } : wakeUp(runId);
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
      needsInput: run.status === "needs_input",
      cooledMs: run.cooledMs,
      changedBefore: run.changedBefore,
    },
    attempts.map(({ phase, attempt, state, changed, takeovers, proposal, failure: failed }) => ({
      phase,
      attempt,
      state,
      changed,
      takeovers,
      ...(failed === null ? {} : { failureClass: failed.class }),
      ...(proposal === null || proposal.decision === null ? {} : { decision: proposal.decision }),
    })),
  );
}
