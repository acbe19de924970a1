import { useStartTicket } from "../use-start-ticket.ts";
import { gitRunOf } from "./git-run.ts";
import { judgePublish } from "./judge-publish.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";
import { putCheckpoint } from "./put-checkpoint.ts";

/**
 * Brings the run's commits to the remote: one branch, a fast-forward from where it stood when the
 * run began. Pushing what is there already is success, so a crash after the push costs nothing.
 *
 * Patch and bundle are kept first, so that a refused run's work is not lost; then the policy
 * ({@link judgePublish}) has the last word.
 */
export async function publish(context: PhaseContext): Promise<PhaseReport> {
  const { deps, run, signal, letGo, evidence } = context;
  const gitRun = gitRunOf(context);
  const { stat, patch } = await deps.git.diff(gitRun, signal);
  evidence.artifacts.push(await deps.artifacts.put(run.runId, "run.patch", patch));
  const checkpoint = await gitRun.loadCheckpoint();
  if (checkpoint !== undefined) {
    evidence.artifacts.push(await putCheckpoint(deps.artifacts, run.runId, checkpoint));
  }
  const hasChanges = gitRun.tipSha !== gitRun.baseSha;
  const refusal = hasChanges ? await judgePublish(context, gitRun) : undefined;
  if (refusal !== undefined) {
    return { changed: false, failure: refusal };
  }
  const pushes = hasChanges && run.request.dryRun !== true;
  if (pushes) {
    // Nothing reaches the remote for a run that was cancelled, or taken over, before this line.
    await useStartTicket(context, "publish");
    // A cancel from here on is too late for the push: cut in the middle, nobody knew whether it was taken.
    await deps.git.push(gitRun, run.branchOldSha, letGo);
    await deps.reach?.("push.done", {
      runId: run.runId,
      phase: "publish",
      attempt: context.attempt,
    });
  }
  return {
    changed: false,
    facts: { diff: stat, pushed: pushes },
    told: { branch: run.branch, headSha: gitRun.tipSha, pushed: pushes, diff: stat },
  };
}
