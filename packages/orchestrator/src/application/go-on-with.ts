import { isCrashLoop, MAX_IDLE_CLAIMS, MAX_TAKEOVERS } from "../domain/crash-loop.ts";
import { failure } from "../domain/failure.ts";
import { isAgentPhase } from "../domain/phase.ts";
import type { RunState } from "../domain/run-state.ts";
import type { AttemptRecord } from "../ports/run-record.ts";
import { attemptPhase } from "./attempt-phase.ts";
import type { CarryDependencies, Situation } from "./carry-run.ts";
import { recordEnd } from "./record-end.ts";

type Running = Situation & {
  readonly state: Extract<RunState, { readonly kind: "running" }>;
};

/**
 * What becomes of an attempt that an earlier owner has left open.
 *
 *   it had no container          it ended with its owner: interrupted
 *   on this worker's engine      the agent is gone on with, as if nothing had happened; unless the run
 *                                is to be cancelled, or worker after worker has died over it: then its
 *                                container is ended first
 *   on another engine            that one is lost, or this worker would not have been given the run.
 *                                The attempt ends by the commit, and with it its token: whatever still
 *                                runs there can call nothing, and ends itself before the fence is over.
 *                                Then the phase starts again, here or elsewhere, from the last checkpoint
 *
 * @param leftAt when the owner's lease ended, null when it was given back
 * @returns the run's state after what was recorded; `left` when nothing was, since this worker stops
 */
export async function goOnWith(
  deps: CarryDependencies,
  situation: Running,
  open: AttemptRecord | undefined,
  leftAt: Date | null | undefined,
): Promise<RunState | "left"> {
  const { run, state, stopping, lease } = situation;
  const { attempt } = state;
  const endedAt = leftAt ?? undefined;
  const isCancelled = run.cancelRequested || lease.cancelled.aborted;
  const place = open?.place ?? null;
  if (open === undefined || place === null) {
    return recordEnd(deps, situation, { ...lostEnding(situation, open), endedAt });
  }
  if (place.engineId !== deps.engineId) {
    return isCancelled
      ? recordEnd(deps, situation, { how: "cancelled", attempt })
      : recordEnd(deps, situation, {
          how: "moved",
          attempt,
          failure: failure(
            "ENGINE_LOST",
            `Nobody has heard of engine ${place.engineId}, which has the container of ${open.phase} ${attempt}`,
          ),
          endedAt,
        });
  }
  const name = { runId: run.runId, phase: open.phase, attempt };
  if (isCancelled) {
    await deps.runtime.engine?.remove(name);
    return recordEnd(deps, situation, { how: "cancelled", attempt });
  }
  if (isOneTooMany(situation, open) || !isAgentPhase(open.phase)) {
    await deps.runtime.engine?.remove(name);
    return recordEnd(deps, situation, { ...lostEnding(situation, open), endedAt });
  }
  if (stopping.aborted) {
    return "left";
  }
  const after = await attemptPhase(deps, situation, open);
  return after.kind === "running" ? "left" : after;
}

function lostEnding(
  situation: Running,
  open: AttemptRecord | undefined,
): Parameters<typeof recordEnd>[2] & { readonly attempt: number } {
  const { attempt } = situation.state;
  return isOneTooMany(situation, open)
    ? {
        how: "failed",
        attempt,
        failure: failure(
          "SUPERVISOR_CRASHED",
          `More than ${MAX_TAKEOVERS} workers in a row have died over this phase`,
        ),
      }
    : {
        how: "interrupted",
        attempt,
        failure: failure("WORKER_REPLACED", "The worker that had started it is gone"),
      };
}

function isOneTooMany({ state, run }: Running, open: AttemptRecord | undefined): boolean {
  const isIdle = (open?.place ?? null) !== null && run.idleClaims > MAX_IDLE_CLAIMS;
  return isIdle || isCrashLoop(state.earlier, open?.takeovers ?? 0);
}
