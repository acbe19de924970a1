import type { RunRows } from "@speckit/orchestrator/testing";
import type { Services } from "../world/services.ts";
import { refuse } from "./refuse.ts";

/** A branch has one pull request, for as long as people leave it alone. */
export function checkPullRequests({ pullRequests }: Services): void {
  for (const [address, { pullRequests: all }] of pullRequests) {
    const heads = all.map(({ head }) => head);
    const twice = heads.find((head, ix) => heads.indexOf(head) !== ix);
    refuse(twice !== undefined, "one-pull-request", `${address}: ${twice} has two pull requests`);
  }
}

/** A run that has succeeded and pushed knows the pull request of its branch. */
export function checkPullRequestOf({ run }: RunRows, { pullRequests }: Services): void {
  if (run.outcome !== "succeeded" || !run.pushed) {
    return;
  }
  const all = pullRequests.get(run.gitRemote)?.pullRequests ?? [];
  const found = all.find(({ head }) => head === run.branch);
  refuse(
    found === undefined || found.number !== run.pullRequest?.number,
    "knows-pull-request",
    `run ${run.runId} knows of pull request ${run.pullRequest?.number}, its branch has ${found?.number}`,
  );
}
