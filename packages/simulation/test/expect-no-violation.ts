import { expect } from "vitest";
import { runSchedule } from "../src/run/run-schedule.ts";

/** Runs the schedules of these seeds; fails with the first that shows what must never be. */
export async function expectNoViolation(fromSeed: number, schedules: number): Promise<void> {
  for (let seed = fromSeed; seed < fromSeed + schedules; seed += 1) {
    const { violation } = await runSchedule({ seed });
    expect(violation, `npm run simulate -- --seed ${seed} --trace`).toBeUndefined();
  }
}
