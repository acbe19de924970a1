/** What became of a run's pull request, as it is stored and told. */
export interface PullRequestRecord {
  /**
   * `left`: people have closed or merged it, and nothing was changed. `described`: none was opened,
   * for a reason in `notes`; its title and body are kept as an artifact.
   */
  readonly how: "created" | "updated" | "left" | "described";
  readonly title: string;
  /** The branch it is to be merged into, null: the repository's default branch. */
  readonly base: string | null;
  /** null: not opened. The same of the next two. */
  readonly number: number | null;
  readonly url: string | null;
  readonly state: "open" | "closed" | "merged" | null;
  readonly draft: boolean;
  readonly labels: readonly string[];
  /** What is otherwise than was wanted, one line each for people. */
  readonly notes: readonly string[];
}
