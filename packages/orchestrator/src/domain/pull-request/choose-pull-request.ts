/** What is known of a pull request of the head branch in question. */
export interface KnownPullRequest {
  readonly number: number;
  readonly state: "open" | "closed" | "merged";
  /** Where the branch was when it was last open. */
  readonly headSha: string;
  /** Of our marker in its body, undefined without one. */
  readonly runId: string | undefined;
}

export type PullRequestChoice<T extends KnownPullRequest> =
  | { readonly do: "update"; readonly pullRequest: T }
  /** `note` says why, for people. */
  | { readonly do: "leave"; readonly pullRequest: T; readonly note: string }
  | { readonly do: "create" };

/**
 * Which of a head branch's pull requests is the one of a run, and what becomes of it. The rule is told
 * at the port, `PullRequestHost`.
 *
 * @param branchSha where the branch is now
 */
export function choosePullRequest<T extends KnownPullRequest>(
  known: readonly T[],
  runId: string,
  branchSha: string,
): PullRequestChoice<T> {
  const newestFirst = [...known].sort((a, b) => b.number - a.number);
  const open = newestFirst.find(({ state }) => state === "open");
  if (open !== undefined) {
    return { do: "update", pullRequest: open };
  }
  const own = newestFirst.find((pullRequest) => pullRequest.runId === runId);
  const pullRequest = own ?? newestFirst[0];
  if (pullRequest === undefined) {
    return { do: "create" };
  }
  const name = `#${pullRequest.number}`;
  if (pullRequest.state === "closed") {
    return {
      do: "leave",
      pullRequest,
      note: `${name} of this branch was closed, and stays closed: reopen it, or name another branch`,
    };
  }
  return own !== undefined || pullRequest.headSha === branchSha
    ? { do: "leave", pullRequest, note: `${name} of this branch is merged already` }
    : { do: "create" };
}
