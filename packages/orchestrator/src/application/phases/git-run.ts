import type { GitRun } from "../../ports/git-workspace.ts";
import type { RunRecord } from "../../ports/run-record.ts";
import type { RunRepository } from "../../ports/run-repository.ts";
import type { HeldLease } from "../lease-keeper.ts";
import { orLost } from "../while-held.ts";

/** A run as git sees it. Its commits are empty until `prepare` has fixed the base. */
export function gitRunOf({
  deps,
  run,
  lease,
}: {
  readonly deps: { readonly runs: RunRepository };
  readonly run: RunRecord;
  readonly lease: Pick<HeldLease, "lost">;
}): GitRun {
  return {
    runId: run.runId,
    gitRemote: run.gitRemote,
    branch: run.branch,
    baseSha: run.baseSha ?? "",
    tipSha: run.tipSha ?? run.baseSha ?? "",
    loadCheckpoint: () => orLost(lease, deps.runs.checkpointOf(run.runId)),
  };
}
