/** What a run wants its pull request to be. */
export interface WantedPullRequest {
  readonly runId: string;
  readonly gitRemote: string;
  /** The pushed branch. */
  readonly head: string;
  /** null: the repository's default branch. */
  readonly base: string | null;
  readonly title: string;
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

export interface PullRequestHost {
  /** `github`. */
  readonly name: string;
  /** Whether this host has the repository. */
  readonly serves: (gitRemote: string) => boolean;
  /**
   * Brings about the one pull request of a head branch: looks first (open, closed and merged ones),
   * updates what is there, creates what is not. Safe to call again after a crash at any point.
   *
   * @throws SpeckitError with a code of the catalogue; of class transient with `resetsAt` where the
   * host says when it may be asked again
   */
  readonly ensure: (
    wanted: WantedPullRequest,
    signal: AbortSignal,
    onStep?: (step: PullRequestStep) => Promise<void>,
  ) => Promise<EnsuredPullRequest>;
}
