/** What postconditions look at: the tree an agent left, as data. */
export interface PhaseOutput {
  /** `specs/NNN-slug`, no trailing slash; below the project's directory where that is not the root. */
  readonly featureDirectory: string;
  /** Text of a regular file of the tree by its path in the repository, undefined when there is none. */
  readonly read: (path: string) => string | undefined;
  /** Every path the agent added, changed or removed against the commit it started from. */
  readonly changed: readonly {
    readonly path: string;
    readonly kind: "added" | "changed" | "removed";
  }[];
  /** `optional`: the project's Spec Kit knows no `.specify/feature.json`. */
  readonly featureJson?: "optional";
}
