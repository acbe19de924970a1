import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { NoopOptions } from "./noop-orchestrator.ts";

const MAIN = fileURLToPath(new URL("../worker-main.ts", import.meta.url));
const READY_WITHIN_MS = 60_000;

export interface NoopWorker extends AsyncDisposable {
  readonly pid: number;
  /** Its row in the table of workers. */
  readonly workerId: number;
  /** SIGKILL; resolves when the process is gone. */
  readonly kill: () => Promise<void>;
}

/** Starts a worker of no-op phases as a process of its own; resolves when it takes work. */
export async function startNoopWorker(options: NoopOptions): Promise<NoopWorker> {
  const child = execa(process.execPath, [MAIN, JSON.stringify(options)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    buffer: false,
    reject: false,
    forceKillAfterDelay: 20_000,
  });
  const ended = child.then((result) => {
    throw new Error(`A worker ended before it was ready: exit code ${result.exitCode}`);
  });
  ended.catch(() => undefined);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await child;
  };
  try {
    const lines = createInterface({ input: child.stdout });
    const ready = once(lines, "line", { signal: AbortSignal.timeout(READY_WITHIN_MS) });
    const [line] = await Promise.race([ready, ended]);
    return {
      pid: child.pid ?? 0,
      workerId: Number(line),
      kill: () => end("SIGKILL"),
      [Symbol.asyncDispose]: () => end("SIGTERM"),
    };
  } catch (error) {
    await end("SIGKILL");
    throw error;
  }
}
