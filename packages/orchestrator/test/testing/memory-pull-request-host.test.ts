import { commitTo, memoryRemote } from "../../src/testing/memory/git/memory-remotes.ts";
import {
  type MemoryPullRequest,
  type MemoryPullRequests,
  memoryPullRequestHost,
} from "../../src/testing/memory/memory-pull-request-host.ts";
import {
  describePullRequestHost,
  type PullRequestHostUnderTest,
} from "../../src/testing/pull-request-host-contract.ts";

const GIT_REMOTE = "https://example.org/acme/app.git";

async function open(): Promise<PullRequestHostUnderTest> {
  const remote = memoryRemote({ "README.md": "Hello" });
  const state: MemoryPullRequests = { pullRequests: [], drafts: true };
  const shaOf = (branch: string) => remote.branches.get(branch);
  const host = memoryPullRequestHost({
    repositories: new Map([[GIT_REMOTE, state]]),
    branchSha: (_remote, branch) => shaOf(branch),
    serves: (gitRemote) => gitRemote === GIT_REMOTE,
  });
  function found(number: number): MemoryPullRequest {
    const pullRequest = state.pullRequests.find((one) => one.number === number);
    if (pullRequest === undefined) {
      throw new Error(`there is no #${number}`);
    }
    return pullRequest;
  }
  function end(number: number, how: "closed" | "merged"): void {
    const pullRequest = found(number);
    pullRequest.state = how;
    pullRequest.endedAtSha = shaOf(pullRequest.head);
  }
  let commits = 0;
  return {
    host,
    gitRemote: GIT_REMOTE,
    foreignRemote: "https://other.example.org/acme/app.git",
    async push(branch) {
      const begin = shaOf(branch) ?? shaOf("main");
      remote.branches.set(branch, begin ?? "");
      commits += 1;
      commitTo(remote, branch, { "thing.md": String(commits) });
    },
    pullRequests: () =>
      state.pullRequests.map((one) => ({
        ...one,
        labels: [...one.labels],
        reviewers: [...one.reviewers],
        assignees: [...one.assignees],
      })),
    allowDrafts: (allowed) => {
      state.drafts = allowed;
    },
    people: {
      edit: (number, to) => void Object.assign(found(number), to),
      close: (number) => end(number, "closed"),
      merge: (number) => end(number, "merged"),
      markReady: (number) => {
        Object.assign(found(number), { draft: false, wasMarkedReady: true });
      },
    },
    async [Symbol.asyncDispose]() {},
  };
}

describePullRequestHost("memory", open);
