import { parentPort } from "node:worker_threads";
import type { Chunk } from "./run-many.ts";
import { runSchedule, type ScheduleResult } from "./run-schedule.ts";

/** One thread of a long run: takes seeds, tells what came of them. */
parentPort?.on("message", async ({ fromSeed, schedules }: Chunk) => {
  const results: ScheduleResult[] = [];
  for (let seed = fromSeed; seed < fromSeed + schedules; seed += 1) {
    results.push(await runSchedule({ seed }));
  }
  parentPort?.postMessage(results);
});
