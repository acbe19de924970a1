import type { GitCredentialSource } from "../../ports/git-credentials.ts";
import type { Logger } from "../../ports/logger.ts";
import type { CommitSigning } from "./commit-signing.ts";
import type { GitSsh } from "./ssh-command.ts";

export interface GitLimits {
  /** Everything in a workspace but its `.git`. */
  readonly workspaceMaxBytes: number;
  /** Files, folders and links in a workspace; bounds memory while it is walked. */
  readonly workspaceMaxEntries: number;
  /** Content one phase may add or change. */
  readonly changedMaxBytes: number;
  /** Files one phase may add or change. */
  readonly changedMaxFiles: number;
  /** The bundle from base to tip: it is stored in the database. */
  readonly checkpointMaxBytes: number;
}

export interface GitDeadlines {
  /** One question to a remote (`ls-remote`). */
  readonly askMs: number;
  readonly fetchMs: number;
  readonly pushMs: number;
  /** Any command that stays on this machine. */
  readonly localMs: number;
}

/** What callers write. */
export interface GitWorkspaceOptions {
  /** Absolute; made when missing. Holds caches and the folders of live runs, nothing of lasting value. */
  readonly stateDir: string;
  /** Author and committer of every commit. */
  readonly identity: { readonly name: string; readonly email: string };
  /** Asked before each command that talks to an https remote. */
  readonly credentials: GitCredentialSource;
  /** Default: the worker's user's own keys and known hosts. */
  readonly ssh?: GitSsh;
  /** Default: commits are not signed. */
  readonly signing?: CommitSigning;
  /** `Key: value` lines at the end of every commit message. Default none. */
  readonly trailers?: readonly string[];
  /** Whether `file://` remotes are allowed. They run as this user: hooks of such a remote too. */
  readonly allowFile: boolean;
  readonly limits?: Partial<GitLimits>;
  readonly deadlines?: Partial<GitDeadlines>;
  readonly logger: Logger;
  /** Where PATH, proxy, CA and ssh-agent variables are taken from; default this process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const MiB = 1024 * 1024;

export const DEFAULT_GIT_LIMITS: GitLimits = {
  workspaceMaxBytes: 5 * 1024 * MiB,
  workspaceMaxEntries: 1_000_000,
  // Spec Kit writes some ten text files of kilobytes; this leaves room for a generated client.
  changedMaxBytes: 128 * MiB,
  changedMaxFiles: 10_000,
  checkpointMaxBytes: 16 * MiB,
};

export const DEFAULT_GIT_DEADLINES: GitDeadlines = {
  askMs: 60_000,
  fetchMs: 600_000,
  pushMs: 300_000,
  localMs: 300_000,
};
