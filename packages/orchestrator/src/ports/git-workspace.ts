import type {
  CommittedChange,
  RunCommit,
  StoredContent,
} from "../domain/publish-policy/run-changes.ts";
import type { PhaseOutput } from "../domain/verify/phase-output.ts";
import type { JobFolders, JobSpec } from "./job-runtime.ts";

/** The remote as it stood when the run began. Everything later is built on these facts. */
export interface RemoteFacts {
  readonly baseBranch: string;
  readonly baseSha: string;
  /** Where the run's branch stood at the remote, null when it was not there. */
  readonly branchOldSha: string | null;
}

/** Files of the base commit that decide whether and how the run can go on. */
export interface BaseFiles {
  /** Every path of the commit but folders, in git's order. */
  readonly listPaths: () => Promise<readonly string[]>;
  /** Text of a regular file, undefined when there is none or it is over 1 MiB. */
  readonly read: (path: string) => Promise<string | undefined>;
}

/** What git operations need to know of a run. The same facts always give the same commits. */
export interface GitRun {
  readonly runId: string;
  readonly gitRemote: string;
  readonly branch: string;
  readonly baseSha: string;
  /** Commit of the last good phase; `baseSha` before the first. */
  readonly tipSha: string;
  /** The bundle `baseSha..tipSha` of the last checkpoint, undefined while both are the same. */
  readonly loadCheckpoint: () => Promise<Uint8Array | undefined>;
}

/**
 * A file the agent finds in the place of one of the tree, or beside those. In the place of one, it is
 * no change as long as the agent leaves it as it is; beside, it is untracked like any other. Laid only
 * where the tree has a regular file, or the folder for one.
 */
export interface LaidOverFile {
  readonly path: string;
  readonly content: string;
}

/** Where a workspace's own `.git` stands; null what cannot be told. */
export interface WorkspaceHead {
  /** null: detached. */
  readonly branch: string | null;
  readonly sha: string | null;
}

export interface TreeChange {
  readonly path: string;
  readonly kind: "added" | "changed" | "removed";
}

/** What an agent left, taken by an allow-list and compared with the commit it started from. */
export interface Harvest extends PhaseOutput {
  readonly changed: readonly TreeChange[];
  /** It began on the run's branch at the run's tip. An agent may have gone elsewhere, and made commits. */
  readonly head: WorkspaceHead;
  /**
   * Makes the phase's commit on top of the run's tip, unless nothing changed. Identity, message and
   * dates come from here, so a re-made commit has the same SHA.
   */
  readonly commit: (about: CommitAbout) => Promise<Committed>;
}

export interface CommitAbout {
  readonly message: string;
  /** Author and committer date, whole seconds since 1970. */
  readonly dateSeconds: number;
}

export interface Committed {
  /** The run's old tip when nothing changed. */
  readonly tipSha: string;
  /** The bundle `baseSha..tipSha`, undefined while both are the same. */
  readonly checkpoint: Uint8Array | undefined;
  /** `git diff` of this phase's commit, as text, cut at 4 MiB. */
  readonly patch: string;
}

export interface DiffStat {
  readonly files: number;
  readonly insertions: number;
  readonly deletions: number;
}

/** Everything the run changed, measured against its base. */
export interface RunDiff {
  readonly stat: DiffStat;
  /** `git diff base..tip` with binary changes, cut at 16 MiB. */
  readonly patch: string;
}

/** Everything a push of the run would bring to the remote. */
export interface RunChanges {
  /** Between base and tip, oldest first; at most 50. */
  readonly commits: readonly RunCommit[];
  /** Of each of them, in the same order. */
  readonly changes: readonly CommittedChange[];
  /** Contents by id, all in memory at once: callers mind their sizes. */
  readonly read: (
    contents: readonly StoredContent[],
    signal: AbortSignal,
  ) => Promise<ReadonlyMap<string, Uint8Array>>;
}

/**
 * Git on this machine: caches that only ever fetch, one disposable bare repository per run, and
 * workspaces an agent may ruin. No git command of ours ever runs in, or reads the configuration of,
 * a folder an agent could write to.
 *
 * Every method throws SpeckitError with one of the git codes of the catalogue.
 */
export interface GitWorkspace {
  /** Asks the remote where it stands and brings the base commit into the cache. */
  readonly fetchBase: (
    request: {
      readonly runId: string;
      readonly gitRemote: string;
      readonly baseBranch: string | undefined;
      readonly branch: string;
      /** The run's branch is the base if it is at the remote. Default false. */
      readonly startsFromBranch?: boolean;
    },
    signal: AbortSignal,
  ) => Promise<RemoteFacts>;
  /** Reads the base commit (fetched again when the cache has lost it). */
  readonly baseFiles: (run: GitRun, signal: AbortSignal) => Promise<BaseFiles>;
  /** The same of the run's tip. */
  readonly tipFiles: (run: GitRun, signal: AbortSignal) => Promise<BaseFiles>;
  /**
   * Fresh folders for an attempt, with the tree of `tipSha` and a throw-away `.git` without a remote.
   *
   * With `mayPack` the workspace may be handed out packed, and its folder not be there: until whoever
   * unpacks it brings something back, there is nothing to harvest.
   */
  readonly createAttempt: (
    run: GitRun,
    attempt: {
      readonly phase: string;
      readonly attempt: number;
      readonly laidOver?: readonly LaidOverFile[];
      /** Default false. */
      readonly mayPack?: boolean;
    },
    signal: AbortSignal,
  ) => Promise<JobFolders & Pick<JobSpec, "packed">>;
  /** Where an attempt's folders are on this machine, made or not. */
  readonly attemptFolders: (
    runId: string,
    attempt: { readonly phase: string; readonly attempt: number },
  ) => JobFolders;
  /**
   * Takes what the agent left. Only after the job is gone.
   *
   * @throws SpeckitError `WORKSPACE_REFUSED` with a finding per path that is never committed,
   * `SECRET_IN_TREE` with the path of a file that holds a secret,
   * `WORKSPACE_TOO_LARGE` when the workspace or its changes are over the limit
   */
  readonly harvest: (
    run: GitRun,
    attempt: {
      readonly phase: string;
      readonly attempt: number;
      /** From the repository's root. */
      readonly featureDirectory: string;
      /** Folder of the Spec Kit project; "" (default) is the repository's root. */
      readonly projectDirectory?: string;
      /** As it was given to {@link createAttempt}. */
      readonly laidOver?: readonly LaidOverFile[];
      /** What no file that the agent has made or changed may hold, in any form. Default nothing. */
      readonly secrets?: readonly string[];
    },
    signal: AbortSignal,
  ) => Promise<Harvest>;
  /** Measures the whole run and brings its commits into the run's own repository. */
  readonly diff: (run: GitRun, signal: AbortSignal) => Promise<RunDiff>;
  /** Commit by commit, so that nothing hides in one that a later one takes back. */
  readonly changes: (run: GitRun, signal: AbortSignal) => Promise<RunChanges>;
  /**
   * Pushes `tipSha` to the run's branch if the branch still stands at `expectedOldSha` (null: is not
   * there). Already there counts as done, so a second call after a crash is safe.
   */
  readonly push: (run: GitRun, expectedOldSha: string | null, signal: AbortSignal) => Promise<void>;
  /** Removes an attempt's folders. Missing ones are fine. */
  readonly removeAttempt: (
    runId: string,
    attempt: { readonly phase: string; readonly attempt: number },
  ) => Promise<void>;
  /** Ids of the runs that {@link removeRun} would find something of on this machine. */
  readonly runsHere: () => Promise<readonly string[]>;
  /** Removes everything of a run but artifacts. Missing things are fine. */
  readonly removeRun: (runId: string, gitRemote: string) => Promise<void>;
}
