import type { AttemptCommit, AttemptEnd } from "../ports/attempt-commit.ts";
import type { Dependencies } from "./dependencies.ts";
import type { HeldLease } from "./lease-keeper.ts";
import { whileHeld } from "./while-held.ts";

/**
 * Commits a phase's result through a database that goes away and comes back: an agent's work of
 * minutes is worth waiting for, as long as the lease can be trusted. A commit whose answer was lost
 * may have happened: the attempt's row tells, before it is tried again.
 *
 * @throws SpeckitError `RUN_FENCED` when the lease is lost while waiting
 */
export async function commitSurely(
  deps: Pick<Dependencies, "runs" | "clock" | "logger" | "reach">,
  lease: HeldLease,
  commit: AttemptCommit,
): Promise<void> {
  const { hold } = lease;
  const about = commit.end ?? commit.conclusion;
  const at = { runId: hold.runId, ...(about === undefined ? {} : placeOf(about)) };
  await deps.reach?.("result.committing", at);
  let tries = 0;
  await whileHeld(deps, lease, async () => {
    tries += 1;
    if (tries > 1 && (await isDone(deps, hold.runId, commit))) {
      return;
    }
    await deps.runs.commitAttempt(hold, commit);
  });
  await deps.reach?.("result.committed", at);
}

function placeOf({
  phase,
  attempt,
}: Pick<AttemptEnd, "phase" | "attempt">): Pick<AttemptEnd, "phase" | "attempt"> {
  return { phase, attempt };
}

async function isDone(
  deps: Pick<Dependencies, "runs">,
  runId: string,
  commit: AttemptCommit,
): Promise<boolean> {
  const about = commit.end ?? commit.conclusion;
  if (about === undefined) {
    const run = await deps.runs.findRun(runId);
    return commit.outcome !== undefined && run?.outcome !== null;
  }
  const { phase, attempt } = about;
  const before = commit.end === undefined ? "proposed" : "running";
  const rows = await deps.runs.attemptsOf(runId);
  return rows.some((row) => row.phase === phase && row.attempt === attempt && row.state !== before);
}
