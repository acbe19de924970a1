import type { GitRun } from "../../ports/git-workspace.ts";
import type { RunRecord, RunRepository } from "../../ports/run-repository.ts";

/** A run as git sees it. Its commits are empty until `prepare` has fixed the base. */
export function gitRunOf(deps: { readonly runs: RunRepository }, run: RunRecord): GitRun {
  return {
    runId: run.runId,
    gitRemote: run.gitRemote,
    branch: run.branch,
    baseSha: run.baseSha ?? "",
    tipSha: run.tipSha ?? run.baseSha ?? "",
    loadCheckpoint: () => deps.runs.checkpointOf(run.runId),
  };
}
