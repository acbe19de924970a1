import { runSchedule, type ScheduleResult } from "../run/run-schedule.ts";
import type { Bug } from "./bugs.ts";

export interface Hunt {
  readonly bug: Bug;
  /** Schedules that were run until it was caught; all of them when it was not. */
  readonly schedules: number;
  readonly caught?: ScheduleResult & { readonly violation: { readonly invariant: string } };
}

/** Runs schedules with a bug in them, from seed 1 on, until one shows it. */
export async function huntBug(bug: Bug, mostSchedules: number): Promise<Hunt> {
  for (let seed = 1; seed <= mostSchedules; seed += 1) {
    const result = await runSchedule({ seed, mutations: bug.mutations });
    const { violation } = result;
    if (violation !== undefined) {
      return { bug, schedules: seed, caught: { ...result, violation } };
    }
  }
  return { bug, schedules: mostSchedules };
}
