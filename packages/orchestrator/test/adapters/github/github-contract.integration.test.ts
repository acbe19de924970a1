import { describePullRequestHost } from "../../../src/testing/pull-request-host-contract.ts";
import { githubBench } from "./github-bench.ts";

describePullRequestHost("GitHub", async () => {
  const bench = await githubBench();
  const { github, host } = bench;
  const { fullName, state } = bench.repository();
  return {
    host,
    gitRemote: bench.wanted(fullName).gitRemote,
    foreignRemote: "https://git.example.org/acme/app.git",
    async push(branch) {
      github.people.commit(fullName, branch);
    },
    pullRequests: () =>
      state.pulls.map((pull) => ({
        ...pull,
        labels: [...pull.labels],
        reviewers: [...pull.reviewers, ...pull.teams.map((team) => `acme/${team}`)],
        assignees: [...pull.assignees],
      })),
    allowDrafts: (allowed) => {
      state.drafts = allowed;
    },
    people: {
      edit: (number, to) => github.people.edit(fullName, number, to),
      close: (number) => github.people.close(fullName, number),
      merge: (number) => github.people.merge(fullName, number),
      markReady: (number) => github.people.markReady(fullName, number),
    },
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  };
});
