/** Names one attempt of a phase: its row, its container and its folders are found by it. */
export interface JobName {
  readonly runId: string;
  readonly phase: string;
  readonly attempt: number;
}

/** The two folders a job has, as absolute paths. */
export interface JobFolders {
  /** The tree it works on. */
  readonly workspace: string;
  /** Its HOME. */
  readonly home: string;
}

/** What a workspace begins with, as files of this machine that only its runtime reads. */
export interface PackedWorkspace {
  /** A POSIX tar archive of the tree; its names begin with `workspace/`, its owners mean nothing. */
  readonly archive: string;
  /** A folder with what comes on top: its `.git`, and files that stand in the place of the tree's. */
  readonly folder: string;
}

/** How long a job may go on. */
export interface JobLimits {
  /** From now; then it is ended. */
  readonly deadlineMs: number;
  /** Longest time without a byte on stdout or stderr; then it is ended. */
  readonly silenceMs: number;
  /**
   * A job that ends with its worker ends by itself when it has not been kept alive for this long;
   * with 0 it never starts. Means nothing to one that outlives its worker.
   */
  readonly keepAliveMs: number;
}

/** One attempt of an agent phase, ready to be started. */
export interface JobSpec extends JobName, JobFolders {
  readonly argv: readonly [string, ...string[]];
  /**
   * Added to the runtime's small base environment (PATH, HOME, LANG, TMPDIR); nothing else of the
   * worker's own is inherited.
   */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Secrets, by the variables the agent's process gets them in: given to it, and to nothing that
   * outlives it or that others can read. A job that lacks one never starts. They are masked in
   * whatever the job prints. Default none.
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Written below `home` before the start; relative paths. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly stdin: string;
  /** Given to runtimes that take it; then there is no folder `workspace` yet. */
  readonly packed?: PackedWorkspace;
  /** Folders below `home` whose files are told with the exit; default none. */
  readonly keep?: readonly string[];
  /** The working directory, below `workspace`; default that itself. */
  readonly directory?: string;
}

/** What the supervisor gets to hear while the job runs. Promises hold back the job's output. */
export interface JobListener {
  readonly onStdout: (piece: Uint8Array) => Promise<void>;
  readonly onStderr: (piece: Uint8Array) => Promise<void>;
  /** One line of stdout without its end. Of one over 1 MiB, its first MiB, and its last kB as `tail`. */
  readonly onLine: (line: string, tail?: string) => void;
}

/** What makes a supervisor leave a job. */
export interface JobSignals {
  /** The job is to end. */
  readonly end: AbortSignal;
  /**
   * This worker must let go: a job that ends with its worker is ended, one that outlives it goes on
   * untouched for whoever attaches next.
   */
  readonly letGo: AbortSignal;
}

/** Why a job ended that did not end by itself. */
export type JobEnd =
  /** The given deadline, silence, or time without being kept alive was over. */
  | "deadline"
  | "silence"
  | "keep_alive"
  /** One of {@link JobSignals}. */
  | "abort"
  /** Its entry program got no start ticket: the agent was never started. */
  | "start_refused"
  /** Whoever started it has not given it its secrets: the agent was never started. */
  | "secrets_missing"
  /** What it wrote went over the limit of its workspace. */
  | "workspace_full"
  /** The kernel ended it for want of memory. */
  | "out_of_memory"
  /** Its output went over the limit. */
  | "output_full"
  /** It ended because nobody could say that its attempt is still live. */
  | "fenced"
  /** Its engine stopped, or its container is no more. */
  | "engine_stopped";

export interface JobExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why we ended it, undefined when it ended by itself. */
  readonly endedBy?: JobEnd;
  /**
   * True for a job that goes on without this supervisor, after {@link JobSignals.letGo}: nothing else
   * here means anything.
   */
  readonly isLeft?: boolean;
  readonly durationMs: number;
  /** Last 16 kB of stderr. */
  readonly stderrTail: string;
  /** Text files of the folders in `keep`, at most 16 MiB in all: larger ones are left out. */
  readonly kept?: readonly KeptFile[];
  /** What its workspace had that cannot be brought to this machine, for example named pipes. */
  readonly leftOut?: readonly { readonly path: string; readonly what: string }[];
}

export interface KeptFile {
  /** Relative to `home`. */
  readonly path: string;
  readonly content: string;
}

export interface Job {
  /** Settles when the job and everything it started are gone, and what it left lies in its folders. */
  readonly exit: Promise<JobExit>;
  /**
   * Lets the job live for `ms` more from now. Called after each renewal of the lease with what is
   * left of the trust window, so that a frozen or dead supervisor's agent ends before another's starts.
   */
  readonly keepAlive: (ms: number) => void;
  /**
   * Tells that the job is at work, though it prints nothing: the silence begins anew. Left out: only
   * what it prints counts.
   */
  readonly heard?: () => void;
}

/** Where a job that outlives its worker is found again. Stored with the attempt before it is started. */
export interface JobPlace {
  readonly engineId: string;
  readonly containerId: string;
  /** Public key, base64 of SPKI DER, that the attempt's tokens are checked with. */
  readonly tokenKey: string;
}

/** A job with all it needs, not started. */
export interface PreparedJob {
  /**
   * Undefined for a job that ends with its worker. Otherwise the attempt's start ticket is taken by
   * the job itself, right before its agent.
   */
  readonly place?: JobPlace;
  /** @throws SpeckitError `AGENT_NOT_STARTED` when the executable cannot be started */
  readonly start: (listener: JobListener, limits: JobLimits, signals: JobSignals) => Promise<Job>;
}

/** Where agents run; `auto`: in containers where they can. */
export const RUNTIMES = ["auto", "docker", "process"] as const;
export type RuntimeChoice = (typeof RUNTIMES)[number];

/** What a runtime can promise on this machine, probed once. */
export interface RuntimeReport {
  readonly name: string;
  /** One line for people, for example `process in its own PID namespace, no file isolation`. */
  readonly isolation: string;
  /** Nothing an agent starts can outlive its attempt. */
  readonly contained: boolean;
}

/** Something a job has on its engine: a container, a volume, or both under one name. */
export interface PlacedJob extends JobName {
  /** Undefined when only its volume is there. */
  readonly containerId: string | undefined;
  readonly isRunning: boolean;
  /** It was started at some time. */
  readonly wasStarted: boolean;
  readonly ageMs: number;
}

/**
 * The part of a runtime whose jobs outlive workers. One engine serves many workers; whoever claims a
 * run attaches to the job an earlier one has started.
 */
export interface JobEngine {
  /**
   * The engine as this deployment knows it: the same for every worker of it, another one when its
   * containers and volumes are others. @throws SpeckitError `ENGINE_UNAVAILABLE`
   */
  readonly id: () => Promise<string>;
  /** Resolves when the engine answers. @throws SpeckitError `ENGINE_UNAVAILABLE` */
  readonly ping: () => Promise<void>;
  /**
   * Goes on with a job: its whole output is told again from the first byte, then what is new. One
   * that was created and never started is started. Undefined: it is no more.
   */
  readonly attach: (
    containerId: string,
    spec: JobName & JobFolders & Pick<JobSpec, "keep" | "secrets">,
    listener: JobListener,
    limits: JobLimits,
    signals: JobSignals,
  ) => Promise<Job | undefined>;
  /** What this deployment's jobs have on the engine; of one run, or of all. */
  readonly list: (runId?: string) => Promise<readonly PlacedJob[]>;
  /** Ends it if it runs, and removes its container and volume. Missing ones are fine. */
  readonly remove: (name: JobName) => Promise<void>;
}

/** Carries out jobs. */
export interface JobRuntime {
  readonly report: () => Promise<RuntimeReport>;
  /**
   * What a short command prints where jobs run, its first 4 kB; undefined when it cannot be started,
   * exits with another code than 0, or takes longer than ten seconds. Left out: nothing can be asked.
   */
  readonly outputOf?: (argv: readonly [string, ...string[]]) => Promise<string | undefined>;
  /** An attempt's folders as its job will see them. */
  readonly foldersInJob: (folders: JobFolders) => JobFolders;
  /** Workspaces are copied to where jobs run: they need not be made as folders first. Default false. */
  readonly takesPacked?: boolean;
  /** Brings everything in place and starts nothing. Aborted, it leaves nothing behind. */
  readonly prepare: (spec: JobSpec, signal: AbortSignal) => Promise<PreparedJob>;
  /** Undefined: jobs end with the worker that started them. */
  readonly engine?: JobEngine;
}
