/** One attempt of an agent phase, ready to be started. */
export interface JobSpec {
  readonly runId: string;
  readonly phase: string;
  readonly attempt: number;
  readonly argv: readonly [string, ...string[]];
  /**
   * Added to the runtime's small base environment (PATH, HOME, LANG, TMPDIR); nothing else of the
   * worker's own is inherited.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Written below `home` before the start; relative paths. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly stdin: string;
  /** Folders below `home` whose files are told with the exit; default none. */
  readonly keep?: readonly string[];
  /** Absolute; the working directory. */
  readonly workspace: string;
  /** Absolute; the job's HOME. */
  readonly home: string;
  /** From the start of the process; then it is killed. */
  readonly deadlineMs: number;
  /** Longest time without a byte on stdout or stderr; then it is killed. */
  readonly silenceMs: number;
  /** The job ends by itself when it has not been kept alive for this long; with 0 it never starts. */
  readonly keepAliveMs: number;
}

/** What the supervisor gets to hear while the job runs. Promises hold back the job's output. */
export interface JobListener {
  readonly onStdout: (piece: Uint8Array) => Promise<void>;
  readonly onStderr: (piece: Uint8Array) => Promise<void>;
  /** One line of stdout without its end. Of one over 1 MiB, its first MiB, and its last kB as `tail`. */
  readonly onLine: (line: string, tail?: string) => void;
}

export interface JobExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why we ended it, undefined when it ended by itself. */
  readonly endedBy?: "deadline" | "silence" | "keep_alive" | "abort";
  readonly durationMs: number;
  /** Last 16 kB of stderr. */
  readonly stderrTail: string;
  /** Text files of the folders in `keep`, at most 16 MiB in all: larger ones are left out. */
  readonly kept?: readonly KeptFile[];
}

export interface KeptFile {
  /** Relative to `home`. */
  readonly path: string;
  readonly content: string;
}

export interface Job {
  /** Settles when the process and everything it started are gone. */
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

/** What a runtime can promise on this machine, probed once. */
export interface RuntimeReport {
  readonly name: string;
  /** One line for people, for example `process in its own PID namespace, no file isolation`. */
  readonly isolation: string;
  /** Nothing an agent starts can outlive its supervisor. */
  readonly contained: boolean;
}

/** Carries out jobs. */
export interface JobRuntime {
  readonly report: () => Promise<RuntimeReport>;
  /**
   * What a short command prints where jobs run, its first 4 kB; undefined when it cannot be started,
   * exits with another code than 0, or takes longer than ten seconds. Left out: nothing can be asked.
   */
  readonly outputOf?: (argv: readonly [string, ...string[]]) => Promise<string | undefined>;
  /**
   * Starts a job; an aborted signal kills it.
   *
   * @throws SpeckitError `AGENT_NOT_STARTED` when the executable cannot be started
   */
  readonly start: (spec: JobSpec, listener: JobListener, signal: AbortSignal) => Promise<Job>;
}
