/** What postconditions look at: the tree an agent left, as data. */
export interface PhaseOutput {
  /** `specs/NNN-slug`, no trailing slash. */
  readonly featureDirectory: string;
  /** Text of a regular file of the tree by its path in the repository, undefined when there is none. */
  readonly read: (path: string) => string | undefined;
  /** Every path the agent added, changed or removed against the commit it started from. */
  readonly changed: readonly {
    readonly path: string;
    readonly kind: "added" | "changed" | "removed";
  }[];
}
