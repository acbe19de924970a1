import type { Dependencies } from "./dependencies.ts";

/** Runs in one transaction or question. */
const BATCH = 500;

/** What one pass did, here and in the database. */
export interface RetentionReport {
  /** Runs whose artifacts this worker has given up. */
  readonly givenUp: number;
  /** Runs whose files it has deleted from its state folder, and their size. */
  readonly filesOf: number;
  readonly bytes: number;
  readonly rowsOf: number;
}

/**
 * Deletes evidence whose time is over: artifacts first, a run's rows long after. What may go is
 * decided in the database, by its clock and by one worker at a time; no live run is among it, and
 * none that somebody keeps. What was decided is then carried out by each worker in its own state
 * folder, since the files of one run may lie on several hosts. A folder of a run that the database
 * does not know is left alone: it may belong to another database.
 *
 * A crash at any point leaves what the next pass finds: artifacts that are given up and still there,
 * a folder half deleted under another name, rows that are still old.
 */
export async function retainEvidence(
  deps: Pick<Dependencies, "runs" | "artifacts" | "settings" | "metrics" | "logger">,
  stopped: AbortSignal,
): Promise<RetentionReport> {
  const givenUp = await untilFewer(stopped, () => deps.runs.giveUpArtifacts(BATCH));
  const files = await deleteFiles(deps, stopped);
  const { runRetentionMs: olderThanMs } = deps.settings;
  let rowsOf = 0;
  await untilFewer(stopped, async () => {
    const deleted = await deps.runs.deleteOldRows({ olderThanMs, limit: BATCH });
    rowsOf += deleted?.runs ?? 0;
    deps.metrics?.count("runs_deleted", {}, deleted?.runs ?? 0);
    return deleted === undefined ? undefined : Math.max(deleted.runs, deleted.workers);
  });
  const report = { givenUp, ...files, rowsOf };
  if (givenUp + files.filesOf + rowsOf > 0) {
    deps.logger.info("evidence deleted, its time being over", report);
  }
  return report;
}

/** Repeats until there is less than a batch to do, or somebody else does it. @returns how many in all */
async function untilFewer(
  stopped: AbortSignal,
  work: () => Promise<number | undefined>,
): Promise<number> {
  for (let all = 0; ; ) {
    const done = stopped.aborted ? undefined : await work();
    all += done ?? 0;
    if (done === undefined || done < BATCH) {
      return all;
    }
  }
}

async function deleteFiles(
  { runs, artifacts, metrics, logger }: Parameters<typeof retainEvidence>[0],
  stopped: AbortSignal,
): Promise<{ readonly filesOf: number; readonly bytes: number }> {
  await artifacts.removeLeftovers();
  const here = await artifacts.runsHere();
  let filesOf = 0;
  let bytes = 0;
  for (let from = 0; from < here.length; from += BATCH) {
    for (const runId of await runs.givenUpArtifacts(here.slice(from, from + BATCH))) {
      if (stopped.aborted) {
        return { filesOf, bytes };
      }
      try {
        const removed = await artifacts.removeRun(runId);
        if (removed !== undefined) {
          filesOf += 1;
          bytes += removed;
          metrics?.count("artifacts_deleted", {});
          metrics?.count("artifact_bytes_deleted", {}, removed);
        }
      } catch (error) {
        logger.warn("artifacts are not deleted, the next pass tries again", {
          runId,
          error: String(error),
        });
      }
    }
  }
  return { filesOf, bytes };
}
