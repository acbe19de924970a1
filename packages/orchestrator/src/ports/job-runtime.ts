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
  /** One line of stdout without its end, cut at 1 MiB. */
  readonly onLine: (line: string) => void;
}

export interface JobExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why we ended it, undefined when it ended by itself. */
  readonly endedBy?: "deadline" | "silence" | "keep_alive" | "abort";
  readonly durationMs: number;
  /** Last 16 kB of stderr. */
  readonly stderrTail: string;
}

export interface Job {
  /** Settles when the process and everything it started are gone. */
  readonly exit: Promise<JobExit>;
  /**
   * Lets the job live for `ms` more from now. Called after each renewal of the lease with what is
   * left of the trust window, so that a frozen or dead supervisor's agent ends before another's starts.
   */
  readonly keepAlive: (ms: number) => void;
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
   * Starts a job; an aborted signal kills it.
   *
   * @throws SpeckitError `AGENT_NOT_STARTED` when the executable cannot be started
   */
  readonly start: (spec: JobSpec, listener: JobListener, signal: AbortSignal) => Promise<Job>;
}
