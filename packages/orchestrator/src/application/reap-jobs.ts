import type { Dependencies } from "./dependencies.ts";

/** How old something must be that no open attempt explains: what is newer may belong to a look that is older. */
const GRACE_MS = 120_000;

/**
 * Removes what attempts have left on this worker's engine: those that are over, on whatever engine the
 * run went on, and those nobody knows. Nothing of another deployment is seen, let alone touched.
 *
 * The engine is asked first, the rows second: a container that was made and committed between the two
 * is not on the list, and one that is on it had its row before. A database that does not answer
 * removes nothing.
 *
 * @returns how many jobs were removed
 */
export async function reapJobs(
  deps: Pick<Dependencies, "runs" | "runtime" | "logger" | "metrics">,
): Promise<number> {
  const { engine } = deps.runtime;
  const found = (await engine?.list()) ?? [];
  if (found.length === 0) {
    return 0;
  }
  const open = new Set((await deps.runs.openAttempts(found)).map(keyOf));
  let removed = 0;
  for (const job of found) {
    if (open.has(keyOf(job)) || job.ageMs < GRACE_MS) {
      continue;
    }
    const { runId, phase, attempt } = job;
    try {
      await engine?.remove({ runId, phase, attempt });
      removed += 1;
      deps.logger.info("container of an attempt that is over removed", { runId, phase, attempt });
    } catch (error) {
      const fields = { runId, phase, attempt, error: String(error) };
      deps.logger.warn("container not removed, the next look tries again", fields);
    }
  }
  deps.metrics?.count("jobs_reaped", {}, removed);
  return removed;
}

function keyOf(name: {
  readonly runId: string;
  readonly phase: string;
  readonly attempt: number;
}): string {
  return `${name.runId} ${name.phase} ${name.attempt}`;
}
