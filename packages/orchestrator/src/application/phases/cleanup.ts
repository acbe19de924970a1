import { isCrashLoop, MAX_IDLE_CLAIMS } from "../../domain/crash-loop.ts";
import { failureOf, isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";
import type { RunRecord } from "../../ports/run-record.ts";
import type { Hold } from "../../ports/run-repository.ts";
import type { Dependencies } from "../dependencies.ts";
import type { EventRelay } from "../event-relay.ts";
import type { HeldLease } from "../lease-keeper.ts";
import { readRunResult } from "../read-run-result.ts";
import { isDatabaseAway } from "../until-available.ts";
import { CHECKPOINT_ARTIFACT, putCheckpoint } from "./put-checkpoint.ts";

/** Starts of cleanup before its troubles are recorded and the run is closed all the same. */
const MAX_CLEANUP_STARTS = 5;
const LOOK_AGAIN_MS = 15_000;

/**
 * Removes what a run leaves on this machine, writes its result beside its artifacts, sends its last
 * event, and closes the run. Runs after every outcome. Each step may be done twice: a crash anywhere
 * leaves the attempt open, and the next owner goes on with the same attempt.
 *
 * @param open the attempt that is open already, undefined to start one
 * @returns when to look again, undefined when the run is closed
 */
export async function cleanUp(
  deps: Dependencies & { readonly relay: EventRelay },
  run: RunRecord,
  lease: Pick<HeldLease, "hold" | "lost">,
  open: { readonly attempt: number; readonly takeovers: number } | undefined,
): Promise<{ readonly lookAgainMs: number } | undefined> {
  const { runId } = run;
  const { hold } = lease;
  const attempt = open?.attempt ?? (await deps.runs.startAttempt(hold, "cleanup"));
  if (open === undefined || !(await isClosingEventWritten(deps, runId))) {
    const trouble = await troubleWith(async () => {
      refuseCrashLoop(run, open?.takeovers ?? 0);
      await removeJobs(deps, runId);
      await deps.git.removeRun(runId, run.gitRemote);
      lease.lost.throwIfAborted();
      await keepLastArtifacts(deps, hold);
    });
    await deps.reach?.("cleanup.removed", { runId, phase: "cleanup", attempt });
    if (trouble !== undefined && attempt < MAX_CLEANUP_STARTS && !isCrashed(trouble)) {
      deps.metrics?.count("cleanups", { became: "failed" });
      return recordTrouble(deps, hold, attempt, trouble);
    }
    const data = trouble === undefined ? {} : { trouble: failureOf(trouble).message };
    await deps.runs.appendEvents(hold, [
      { type: "phase.succeeded", phase: "cleanup", attempt, data },
    ]);
  }
  try {
    await deps.relay.drain(runId);
  } catch (error) {
    deps.logger.warn("last events not sent yet", { runId, error: String(error) });
  }
  const closed = await deps.runs.finishCleanup(hold, attempt);
  deps.metrics?.count("cleanups", { became: closed ? "closed" : "unsent" });
  if (closed) {
    countEnd(deps, run);
  }
  await deps.reach?.("cleanup.finished", { runId, phase: "cleanup", attempt });
  return closed ? undefined : { lookAgainMs: LOOK_AGAIN_MS };
}

/** What attempts have left on this engine. What they have left on another is its reaper's. */
async function removeJobs({ runtime }: Dependencies, runId: string): Promise<void> {
  for (const job of (await runtime.engine?.list(runId)) ?? []) {
    await runtime.engine?.remove(job);
  }
}

/** Cleaning up has ended one worker after another: the run is closed without it, and says so. */
function refuseCrashLoop({ runId, idleClaims }: RunRecord, takeovers: number): void {
  if (idleClaims > MAX_IDLE_CLAIMS || isCrashLoop([], takeovers)) {
    throw new SpeckitError(
      "SUPERVISOR_CRASHED",
      `Run ${runId}: worker after worker has died while cleaning up`,
    );
  }
}

function isCrashed(error: unknown): boolean {
  return isSpeckitError(error) && error.code === "SUPERVISOR_CRASHED";
}

/** Of a closed run, so that each is counted once. */
function countEnd({ metrics }: Dependencies, run: RunRecord): void {
  const { outcome, finishedAt, createdAt } = run;
  if (outcome !== null && finishedAt !== null) {
    metrics?.count("runs_ended", { outcome });
    metrics?.timing("run_duration_ms", finishedAt.getTime() - createdAt.getTime(), { outcome });
  }
}

/** What must not keep a run from being closed for ever. A lost lease or database is no such thing. */
async function troubleWith(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isDatabaseAway(error) || (isSpeckitError(error) && error.class === "fenced")) {
      throw error;
    }
    return error;
  }
}

/** The checkpoint of a run that did not get as far as publishing it, and the result envelope. */
async function keepLastArtifacts(deps: Dependencies, hold: Hold): Promise<void> {
  const { runId } = hold;
  const kept = await deps.runs.artifactsOf(runId);
  if (!kept.some((artifact) => artifact.name === CHECKPOINT_ARTIFACT)) {
    const checkpoint = await deps.runs.checkpointOf(runId);
    if (checkpoint !== undefined) {
      await deps.runs.addArtifacts(hold, [await putCheckpoint(deps.artifacts, runId, checkpoint)]);
    }
  }
  const result = await readRunResult(deps, runId);
  const text = `${JSON.stringify(result, null, 2)}\n`;
  await deps.runs.addArtifacts(hold, [await deps.artifacts.put(runId, "result.json", text)]);
}

async function recordTrouble(
  deps: Dependencies,
  hold: Hold,
  attempt: number,
  error: unknown,
): Promise<{ readonly lookAgainMs: number }> {
  const failure = failureOf(error);
  await deps.runs.commitAttempt(hold, {
    end: { phase: "cleanup", attempt, state: "failed", failure },
    events: [{ type: "phase.failed", phase: "cleanup", attempt, data: { failure } }],
    wait: { dueInMs: 0, wakeInMs: LOOK_AGAIN_MS },
  });
  deps.logger.warn("cleanup failed", {
    runId: hold.runId,
    code: failure.code,
    error: failure.message,
  });
  return { lookAgainMs: LOOK_AGAIN_MS };
}

/** Whether an owner died right after writing cleanup's closing event: it is never written twice. */
async function isClosingEventWritten(deps: Dependencies, runId: string): Promise<boolean> {
  for (let afterSeq = 0; ; ) {
    const events = await deps.runs.eventsOf(runId, { afterSeq, limit: 1_000 });
    if (events.some((event) => event.phase === "cleanup" && event.type === "phase.succeeded")) {
      return true;
    }
    const last = events.at(-1);
    if (last === undefined) {
      return false;
    }
    afterSeq = last.seq;
  }
}
