/** What a run may bring to its remote. */
export interface PublishPolicy extends PublishLimits {
  /** Whether a run may touch a path, from the repository's root. Workflows have their own rule too. */
  readonly isAllowedPath: (path: string) => boolean;
  /** Whether files of `.github/workflows` may change, where their path is allowed. */
  readonly allowsWorkflows: boolean;
}

export interface PublishLimits {
  /** Paths that the run adds, changes or removes. */
  readonly maxFiles: number;
  /** Of one file, in each commit. */
  readonly maxFileBytes: number;
  /** Of all contents together, in all commits. */
  readonly maxTotalBytes: number;
}

const MiB = 1024 * 1024;

/** Spec Kit's phases write some ten text files of kilobytes, its `init` some forty. */
export const DEFAULT_PUBLISH_LIMITS: PublishLimits = {
  maxFiles: 200,
  maxFileBytes: MiB,
  // A checkpoint is no larger.
  maxTotalBytes: 16 * MiB,
};
