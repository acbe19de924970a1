import { failureOf, isSpeckitError } from "../../domain/speckit-error.ts";
import type { Hold, RunRecord } from "../../ports/run-repository.ts";
import type { Dependencies } from "../dependencies.ts";
import type { EventRelay } from "../event-relay.ts";
import { readRunResult } from "../read-run-result.ts";

/** Starts of cleanup before its troubles are recorded and the run is closed all the same. */
const MAX_CLEANUP_STARTS = 5;

/**
 * Removes what a run leaves on this machine, sends its last event, and closes the run. Runs after
 * every outcome. Each step may be done twice: a crash anywhere leaves the attempt open, and the next
 * owner goes on with the same attempt.
 *
 * @param open the attempt that is open already, undefined to start one
 * @returns when to look again, undefined when the run is closed
 */
export async function cleanUp(
  deps: Dependencies & { readonly relay: EventRelay },
  run: RunRecord,
  hold: Hold,
  open: { readonly attempt: number } | undefined,
): Promise<{ readonly lookAgainMs: number } | undefined> {
  const attempt = open?.attempt ?? (await deps.runs.startAttempt(hold, "cleanup"));
  if (!(await isClosingEventWritten(deps, run.runId))) {
    const trouble = await removeAll(deps, run);
    if (trouble !== undefined && attempt < MAX_CLEANUP_STARTS) {
      return recordTrouble(deps, hold, attempt, trouble);
    }
    const data = trouble === undefined ? {} : { trouble: failureOf(trouble).message };
    const result = await readRunResult(deps, run.runId);
    const artifact = await deps.artifacts.put(
      run.runId,
      "result.json",
      `${JSON.stringify(result, null, 2)}\n`,
    );
    await deps.runs.addArtifacts(hold, [artifact]);
    await deps.runs.appendEvents(hold, [
      { type: "phase.succeeded", phase: "cleanup", attempt, data },
    ]);
  }
  try {
    await deps.relay.drain(run.runId);
  } catch (error) {
    deps.logger.warn("last events not sent yet", { runId: run.runId, error: String(error) });
  }
  const closed = await deps.runs.finishCleanup(hold, attempt);
  return closed ? undefined : { lookAgainMs: 15_000 };
}

async function removeAll(deps: Dependencies, run: RunRecord): Promise<unknown> {
  try {
    await deps.git.removeRun(run.runId, run.gitRemote);
    return undefined;
  } catch (error) {
    return error;
  }
}

async function recordTrouble(
  deps: Dependencies,
  hold: Hold,
  attempt: number,
  error: unknown,
): Promise<{ readonly lookAgainMs: number }> {
  const failure = failureOf(error);
  const lookAgainMs = 15_000;
  await deps.runs.commitAttempt(hold, {
    end: { phase: "cleanup", attempt, state: "failed", failure },
    events: [{ type: "phase.failed", phase: "cleanup", attempt, data: { failure } }],
    wait: { dueInMs: 0, wakeInMs: lookAgainMs },
  });
  deps.logger.warn("cleanup failed", {
    runId: hold.runId,
    code: isSpeckitError(error) ? error.code : undefined,
    error: failure.message,
  });
  return { lookAgainMs };
}

/** Whether an owner died right after writing cleanup's closing event: it is never written twice. */
async function isClosingEventWritten(deps: Dependencies, runId: string): Promise<boolean> {
  const run = await deps.runs.findRun(runId);
  if (run === undefined) {
    return false;
  }
  // A claim's own event may stand behind it, one per owner that died here.
  const afterSeq = Math.max(0, run.lastSeq - 50);
  const events = await deps.runs.eventsOf(runId, { afterSeq, limit: 50 });
  return events.some((event) => event.phase === "cleanup" && event.type === "phase.succeeded");
}
