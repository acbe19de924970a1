import { eventually } from "@speckit/testkit";
import {
  launchWorker,
  untilReady,
  type WorkerProcess,
  type WorkerSettings,
} from "./worker-process.ts";

/** A fixed number of workers: each that is killed is replaced by a new one. */
export interface WorkerPool extends AsyncDisposable {
  /** Waits until so many have been killed; rejects when there are fewer, or more. */
  readonly untilKilled: (count: number) => Promise<void>;
  /** Ends all of them by SIGTERM; rejects when one does not end well, or had not. */
  readonly drain: () => Promise<void>;
}

export async function workerPool(
  count: number,
  settings: (name: string) => WorkerSettings,
): Promise<WorkerPool> {
  const live = new Set<WorkerProcess>();
  const problems: string[] = [];
  const starting = new Set<Promise<void>>();
  let started = 0;
  let killed = 0;
  let isOver = false;

  const start = async (): Promise<void> => {
    started += 1;
    const name = `worker-${started}`;
    const worker = await launchWorker(settings(name));
    live.add(worker);
    // From its launch on: one may be killed by the first message it takes, before it was seen ready.
    void worker.result.then(({ exitCode, signal, stderr }) => {
      live.delete(worker);
      if (signal === "SIGKILL" && !isOver) {
        killed += 1;
        replace();
      } else if (exitCode !== 0) {
        problems.push(`${name}: exit code ${exitCode}, signal ${signal}\n${stderr.slice(-4_000)}`);
      }
    });
    await untilReady(worker);
  };
  const replace = (): void => {
    const next = start()
      .catch((error: unknown) => void problems.push(String(error)))
      .finally(() => starting.delete(next));
    starting.add(next);
  };
  await Promise.all(Array.from({ length: count }, start));

  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    isOver = true;
    await Promise.all(starting);
    await Promise.all(
      [...live].map((worker) => {
        worker.kill(signal);
        return worker.result;
      }),
    );
  };
  return {
    async untilKilled(count) {
      await eventually(
        `${count} workers were killed`,
        () => killed,
        (seen) => seen >= count,
      );
      if (killed > count) {
        throw new Error(`${killed} workers were killed, not ${count}`);
      }
    },
    async drain() {
      await end("SIGTERM");
      if (problems.length > 0) {
        throw new Error(problems.join("\n"));
      }
    },
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
}
