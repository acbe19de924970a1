import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type {
  Job,
  JobExit,
  JobLimits,
  JobListener,
  JobRuntime,
  JobSpec,
} from "../../../src/ports/job-runtime.ts";

export interface Collected {
  readonly job: Job;
  readonly exit: JobExit;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly lines: readonly string[];
}

/** A job with its limits. */
export type LimitedSpec = JobSpec & JobLimits;

export function shellSpec(
  workspace: string,
  script: string,
  more: Partial<LimitedSpec> = {},
): LimitedSpec {
  return {
    runId: "0197f0a0-0000-7000-8000-000000000001",
    phase: "specify",
    attempt: 1,
    argv: ["bash", "-c", script],
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    files: [],
    home: join(workspace, ".home"),
    stdin: "",
    workspace,
    deadlineMs: 30_000,
    silenceMs: 30_000,
    keepAliveMs: 60_000,
    ...more,
  };
}

/** Prepares and starts a job. */
export async function startJob(
  runtime: JobRuntime,
  { deadlineMs, silenceMs, keepAliveMs, ...spec }: LimitedSpec,
  listener: JobListener,
  end: AbortSignal = new AbortController().signal,
): Promise<Job> {
  const never = new AbortController().signal;
  const prepared = await runtime.prepare(spec, never);
  return prepared.start(listener, { deadlineMs, silenceMs, keepAliveMs }, { end, letGo: never });
}

/** Runs a job to its end and keeps all it says. */
export async function runJob(
  runtime: JobRuntime,
  spec: LimitedSpec,
  hooks: { readonly signal?: AbortSignal; readonly onLine?: (line: string) => void } = {},
): Promise<Collected> {
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const lines: string[] = [];
  const job = await startJob(
    runtime,
    spec,
    {
      onStdout: async (piece) => void stdout.push(piece),
      onStderr: async (piece) => void stderr.push(piece),
      onLine: (line) => {
        lines.push(line);
        hooks.onLine?.(line);
      },
    },
    hooks.signal,
  );
  const exit = await job.exit;
  return { job, exit, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), lines };
}

export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "speckit-process-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A duration for `sleep` that no other process of this machine uses: it names one process. */
export function uniqueSeconds(): string {
  return `${300 + Math.floor(Math.random() * 600)}.${String(Math.random()).slice(2, 12)}`;
}

/** Ids of the processes with `word` among their arguments, zombies left out: they have none. */
export async function processesWith(word: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (/^\d+$/.test(name)) {
      const text = await readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "");
      if (text.split("\0").includes(word)) {
        found.push(Number(name));
      }
    }
  }
  return found;
}

/** Polls until `check` is true; @throws with what was last seen when it is not within `withinMs`. */
export async function eventually<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T>,
  check: (seen: T) => boolean,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const seen = await look();
    if (check(seen)) {
      return seen;
    }
    if (performance.now() - startedMs > withinMs) {
      throw new Error(`${what}: not within ${withinMs} ms, last seen ${JSON.stringify(seen)}`);
    }
    await sleep(10);
  }
}
