/** A commit between a run's base and its tip. */
export interface RunCommit {
  readonly sha: string;
  readonly parents: readonly string[];
  /** The phase whose commit it says it is; null: it is none of ours. */
  readonly phase: string | null;
}

/** What one commit does to one path. */
export interface CommittedChange {
  /** Id of the commit. */
  readonly commit: string;
  readonly path: string;
  readonly kind: "added" | "changed" | "removed";
  /** What stands there afterwards; of a removed one, what stood there. */
  readonly entry: "file" | "symlink" | "submodule";
  /** null: there was none, or a submodule. */
  readonly before: StoredContent | null;
  /** null: there is none, or a submodule. */
  readonly after: StoredContent | null;
  /** Where a symlink leads, as it says; null for everything else. */
  readonly target: string | null;
}

export interface StoredContent {
  /** The same content has the same id. */
  readonly id: string;
  readonly bytes: number;
}
