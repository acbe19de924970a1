import { useStartTicket } from "../use-start-ticket.ts";
import { gitRunOf } from "./git-run.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";

/**
 * Brings the run's commits to the remote: one branch, a fast-forward from where it stood when the
 * run began. Pushing what is there already is success, so a crash after the push costs nothing.
 */
export async function publish(context: PhaseContext): Promise<PhaseReport> {
  const { deps, run, signal } = context;
  const gitRun = gitRunOf(deps, run);
  const { stat, patch } = await deps.git.diff(gitRun, signal);
  const artifacts = [await deps.artifacts.put(run.runId, "run.patch", patch)];
  const hasChanges = gitRun.tipSha !== gitRun.baseSha;
  const pushes = hasChanges && run.request.dryRun !== true;
  if (pushes) {
    // Nothing reaches the remote for a run that was cancelled, or taken over, before this line.
    await useStartTicket(context, "publish");
    await deps.git.push(gitRun, run.branchOldSha, signal);
  }
  return {
    changed: false,
    facts: { diff: stat, pushed: pushes },
    artifacts,
    told: { branch: run.branch, headSha: gitRun.tipSha, pushed: pushes, diff: stat },
  };
}
