import { type PullRequestHost, SpeckitError } from "@speckit/orchestrator";
import { memoryPullRequestHost } from "@speckit/orchestrator/testing";
import type { Process, World } from "../world/process.ts";

/**
 * Pull requests as one process brings them about: each request travels to the git host and may be
 * late or lost, and so may the answer that says what there is now.
 */
export function pullRequestsPort(
  { services, mutations }: World,
  process: Omit<Process, "deps">,
): PullRequestHost {
  const { git } = process.links;
  const travel = (label: string): Promise<void> =>
    git.call(
      `pulls.${label}`,
      async () => {},
      () => new SpeckitError("PULL_REQUEST_HOST_UNAVAILABLE", `pulls.${label}: no answer`),
    );
  const host = memoryPullRequestHost({
    repositories: services.pullRequests,
    branchSha: (gitRemote, branch) => services.remotes.get(gitRemote)?.branches.get(branch),
    onRequest: travel,
  });
  const port: PullRequestHost = {
    ...host,
    ensure: (wanted, signal, onStep) =>
      host.ensure(wanted, signal, async (step) => {
        await travel(`${step} told`);
        await onStep?.(step);
      }),
  };
  return mutations.pullRequests?.(port, services) ?? port;
}
