import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { ScheduleResult } from "./run-schedule.ts";

export interface ManyOptions {
  readonly fromSeed: number;
  readonly schedules: number;
  /** Default: one for each core. */
  readonly threads?: number;
  /** Called now and then with how many are done, and how many of them broke an invariant. */
  readonly onProgress?: (done: number, violations: number) => void;
}

export interface ManyReport {
  readonly schedules: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly agentStarts: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly violations: readonly ScheduleResult[];
  readonly tookMs: number;
}

/** Seeds a thread takes at a time. */
const CHUNK = 50;

/** What a thread is told to run, and what it tells when that is done. */
export interface Chunk {
  readonly fromSeed: number;
  readonly schedules: number;
}

/** Runs schedules of neighbouring seeds on every core. */
export async function runMany(options: ManyOptions): Promise<ManyReport> {
  const { fromSeed, schedules, onProgress } = options;
  const startedMs = performance.now();
  const sums = { steps: 0, virtualMs: 0, agentStarts: 0 };
  const faults: Record<string, number> = {};
  const outcomes: Record<string, number> = {};
  const violations: ScheduleResult[] = [];
  let next = 0;
  let done = 0;

  function take(results: readonly ScheduleResult[]): void {
    for (const result of results) {
      sums.steps += result.steps;
      sums.virtualMs += result.virtualMs;
      sums.agentStarts += result.agentStarts;
      for (const fault of result.faults) {
        faults[fault] = (faults[fault] ?? 0) + 1;
      }
      for (const outcome of result.outcomes) {
        outcomes[`${outcome}`] = (outcomes[`${outcome}`] ?? 0) + 1;
      }
      if (result.violation !== undefined) {
        violations.push(result);
      }
    }
    done += results.length;
    onProgress?.(done, violations.length);
  }

  function runThread(): Promise<void> {
    const thread = new Worker(new URL("./schedule-thread.ts", import.meta.url));
    const ended = Promise.withResolvers<void>();
    const give = (): void => {
      if (next >= schedules) {
        void thread.terminate().then(() => ended.resolve());
        return;
      }
      const count = Math.min(CHUNK, schedules - next);
      const chunk: Chunk = { fromSeed: fromSeed + next, schedules: count };
      next += count;
      thread.postMessage(chunk);
    };
    thread.on("message", (results: readonly ScheduleResult[]) => {
      take(results);
      give();
    });
    thread.on("error", ended.reject);
    give();
    return ended.promise;
  }

  const threads = options.threads ?? availableParallelism();
  await Promise.all(Array.from({ length: threads }, runThread));
  violations.sort((a, b) => a.seed - b.seed);
  const tookMs = performance.now() - startedMs;
  return { schedules: done, ...sums, faults, outcomes, violations, tookMs };
}
