import { secretMasker } from "../../domain/secret-forms.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type {
  Job,
  JobExit,
  JobLimits,
  JobListener,
  JobRuntime,
  JobSpec,
} from "../../ports/job-runtime.ts";
import type { Timers } from "./timers.ts";

/** What a program does, in order of time; `afterMs` counts from the step before. */
export interface ProgramStep {
  readonly afterMs: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Something it does to the world. */
  readonly act?: () => void;
}

/** A program as data. It ends with its last step; `ends` says how. */
export interface Program {
  readonly steps: readonly ProgramStep[];
  /** `never`: only when it is ended. */
  readonly ends: number | "never";
  /** It ignores SIGTERM: ended by SIGKILL when the grace is over. */
  readonly isStubborn?: boolean;
}

/** One start of a job, for whoever counts: from outside the supervisor. */
export interface StartedJob {
  readonly spec: JobSpec;
  readonly isAlive: () => boolean;
  /** The machine's own end of it, at once. */
  readonly kill: () => void;
}

export interface MemoryJobRuntimeOptions {
  readonly timers: Timers;
  /** The program behind `spec.argv`, undefined when there is none of that name. */
  readonly find: (spec: JobSpec) => Program | undefined;
  readonly onStart?: (job: StartedJob) => void;
  /** Between SIGTERM and SIGKILL. Default 2 s. */
  readonly termGraceMs?: number;
}

/** Carries out programs that are data. What keeps a job alive, and ends it, is as with processes. */
export function memoryJobRuntime(options: MemoryJobRuntimeOptions): JobRuntime {
  return {
    report: async () => ({ name: "memory", isolation: "programs in memory", contained: true }),
    foldersInJob: (folders) => folders,
    prepare: async (spec) => ({
      async start(listener, limits, { end, letGo }) {
        const program = options.find(spec);
        if (program === undefined) {
          throw new SpeckitError("AGENT_NOT_STARTED", `There is no program ${spec.argv[0]}`);
        }
        // As with processes: to let go of a program is to end it.
        const signal = AbortSignal.any([end, letGo]);
        if (signal.aborted || limits.keepAliveMs <= 0) {
          return neverStarted(signal.aborted ? "abort" : "keep_alive");
        }
        return carryOut(options, program, { spec, listener, limits, signal });
      },
    }),
  };
}

function neverStarted(endedBy: "abort" | "keep_alive"): Job {
  const exit: JobExit = { exitCode: null, signal: null, endedBy, durationMs: 0, stderrTail: "" };
  return { exit: Promise.resolve(exit), keepAlive: () => {} };
}

function carryOut(
  { timers, onStart, termGraceMs = 2_000 }: MemoryJobRuntimeOptions,
  program: Program,
  {
    spec,
    listener,
    limits,
    signal,
  }: {
    readonly spec: JobSpec;
    readonly listener: JobListener;
    readonly limits: JobLimits;
    readonly signal: AbortSignal;
  },
): Job {
  const startedMs = timers.nowMs();
  const mask = secretMasker(Object.values(spec.secrets ?? {}));
  const exit = Promise.withResolvers<JobExit>();
  exit.promise.catch(() => {});
  let isAlive = true;
  let endedBy: JobExit["endedBy"];
  let stderrTail = "";
  let forgetStep = (): void => {};
  /** What was printed and not yet taken: the listener holds back the program. */
  let printing: Promise<void> = Promise.resolve();

  function over(how: { readonly exitCode: number | null; readonly signal: string | null }): void {
    if (!isAlive) {
      return;
    }
    isAlive = false;
    for (const forget of [
      forgetStep,
      forgetDeadline,
      forgetSilence,
      forgetKeepAlive,
      forgetGrace,
    ]) {
      forget();
    }
    signal.removeEventListener("abort", onAbort);
    const durationMs = Math.round(timers.nowMs() - startedMs);
    printing.then(
      () =>
        exit.resolve({
          ...how,
          ...(endedBy === undefined ? {} : { endedBy }),
          durationMs,
          stderrTail,
        }),
      exit.reject,
    );
  }

  const kill = (): void => over({ exitCode: null, signal: "SIGKILL" });
  function end(why: NonNullable<JobExit["endedBy"]>): void {
    if (endedBy !== undefined || !isAlive) {
      return;
    }
    endedBy = why;
    if (program.isStubborn === true) {
      forgetGrace = timers.after(termGraceMs, kill);
    } else {
      over({ exitCode: null, signal: "SIGTERM" });
    }
  }

  let forgetGrace = (): void => {};
  const forgetDeadline = timers.after(limits.deadlineMs, () => end("deadline"));
  let forgetSilence = timers.after(limits.silenceMs, () => end("silence"));
  let forgetKeepAlive = timers.after(limits.keepAliveMs, ranOut);
  function ranOut(): void {
    endedBy ??= "keep_alive";
    kill();
  }
  const onAbort = (): void => end("abort");
  signal.addEventListener("abort", onAbort, { once: true });

  function print(step: ProgramStep): void {
    if (step.stdout === undefined && step.stderr === undefined) {
      return;
    }
    forgetSilence();
    const stdout = step.stdout === undefined ? undefined : mask(step.stdout);
    const stderr = step.stderr === undefined ? undefined : mask(step.stderr);
    printing = printing.then(async () => {
      if (stdout !== undefined) {
        await listener.onStdout(Buffer.from(stdout, "utf8"));
        for (const line of stdout.replace(/\n$/, "").split("\n")) {
          listener.onLine(line);
        }
      }
      if (stderr !== undefined) {
        stderrTail += stderr;
        await listener.onStderr(Buffer.from(stderr, "utf8"));
      }
      if (isAlive) {
        forgetSilence = timers.after(limits.silenceMs, () => end("silence"));
      }
    });
    printing.catch(kill);
  }

  function next(ix: number): void {
    const step = program.steps[ix];
    if (step === undefined) {
      if (program.ends !== "never") {
        over({ exitCode: program.ends, signal: null });
      }
      return;
    }
    forgetStep = timers.after(step.afterMs, () => {
      step.act?.();
      print(step);
      next(ix + 1);
    });
  }

  onStart?.({ spec, isAlive: () => isAlive, kill });
  next(0);
  return {
    exit: exit.promise,
    keepAlive(ms: number) {
      if (isAlive) {
        forgetKeepAlive();
        forgetKeepAlive = timers.after(Math.max(0, ms), ranOut);
      }
    },
  };
}
