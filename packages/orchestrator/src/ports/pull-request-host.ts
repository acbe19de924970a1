/** What a run wants its pull request to be. */
export interface WantedPullRequest {
  readonly runId: string;
  readonly gitRemote: string;
  /** The pushed branch. */
  readonly head: string;
  /** null: the repository's default branch. */
  readonly base: string | null;
  readonly title: string;
  /** Markdown. Begins with the marker that the domain knows again (`run-marker.ts`). */
  readonly body: string;
  readonly draft: boolean;
  readonly labels: readonly string[];
  /** Logins, and teams as `org/team`. */
  readonly reviewers: readonly string[];
  readonly assignees: readonly string[];
}

export interface PullRequest {
  readonly number: number;
  /** For people. */
  readonly url: string;
  readonly state: "open" | "closed" | "merged";
  readonly draft: boolean;
}

export interface EnsuredPullRequest extends PullRequest {
  /** `left`: people have closed or merged it; nothing was changed. */
  readonly how: "created" | "updated" | "left";
  /** What could not be done as wanted, one line each for people: a draft refused, a reviewer not accepted. */
  readonly notes: readonly string[];
}

/** Steps that a crash may fall between; tests hold or end the process there. */
export type PullRequestStep = "looked" | "created" | "decorated";

/**
 * A git host that has pull requests.
 *
 * Which one is *the* pull request of a head branch:
 *
 * 1. an open one, the newest if there are several: it is `updated`;
 * 2. else the newest one that carries this run's marker, else the newest of all:
 *    - closed, not merged: `left`. People have said no to this branch;
 *    - merged, and it carries this run's marker or ended at the commit the branch is at now: `left`.
 *      There is nothing new to look at;
 *    - merged, and the branch has moved on: a new one is `created`, since a merged one takes no more;
 * 3. else a new one is `created`.
 *
 * What people have changed stays: an update replaces only the block that we wrote, and the title only
 * where it is still ours; labels, reviewers and assignees are added, never removed; the base is never
 * changed, and a draft that was marked ready stays ready.
 */
export interface PullRequestHost {
  /** `github`. */
  readonly name: string;
  /** Whether this host has the repository. */
  readonly serves: (gitRemote: string) => boolean;
  /**
   * Brings about the one pull request of a head branch: looks first (open, closed and merged ones),
   * updates what is there, creates what is not. Safe to call again after a crash at any point: what was
   * created is found, and "already exists" counts as found.
   *
   * `onStep` is awaited. `looked` always comes; `created` only where one was created; `decorated` when
   * labels, reviewers and assignees are on it.
   *
   * @throws SpeckitError with a code of the catalogue; `PULL_REQUEST_HOST_LIMITED` with `resetsAt` where
   * the host says when. What the signal was aborted with, once it is.
   */
  readonly ensure: (
    wanted: WantedPullRequest,
    signal: AbortSignal,
    onStep?: (step: PullRequestStep) => Promise<void>,
  ) => Promise<EnsuredPullRequest>;
}
