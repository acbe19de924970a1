import type { Dependencies } from "./dependencies.ts";

/** Run ids asked about in one statement. */
const BATCH = 500;
/** How long a run must have been closed: a worker of this machine that was fenced may still be letting go of it. */
const GRACE_MS = 120_000;

/**
 * Removes what runs have left in this machine's state folder, if the database says that they are
 * closed: a run's cleanup sees only the machine it happens on, and the run may have been begun on
 * another. What the database does not know, or does not call closed, is left alone: the folder may
 * have served another database.
 *
 * @returns how many runs were removed
 */
export async function removeClosedRuns(
  deps: Pick<Dependencies, "runs" | "git" | "clock" | "logger">,
  stopped: AbortSignal,
): Promise<number> {
  const here = await deps.git.runsHere();
  let removed = 0;
  for (let from = 0; from < here.length && !stopped.aborted; from += BATCH) {
    const ids = here.slice(from, from + BATCH);
    for (const { runId, gitRemote } of await deps.runs.closedRuns(ids, GRACE_MS)) {
      if (stopped.aborted) {
        break;
      }
      try {
        await deps.git.removeRun(runId, gitRemote);
        removed += 1;
      } catch (error) {
        deps.logger.warn("a closed run's folders are not removed", { runId, error: String(error) });
      }
    }
  }
  if (removed > 0) {
    deps.logger.info("closed runs removed from the state folder", { runs: removed });
  }
  return removed;
}
