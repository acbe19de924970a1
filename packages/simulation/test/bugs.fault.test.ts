import { describe, expect, test } from "vitest";
import { BUGS, type Bug } from "../src/bugs/bugs.ts";
import { huntBug } from "../src/bugs/hunt-bug.ts";
import { runSchedule, type ScheduleResult } from "../src/run/run-schedule.ts";

/** A change of the code under test changes what a seed does: then another one near by shows the bug. */
const MOST_SCHEDULES = 1_500;

async function caught(bug: Bug): Promise<ScheduleResult | undefined> {
  const known = await runSchedule({ seed: bug.seed, mutations: bug.mutations });
  return known.violation === undefined ? (await huntBug(bug, MOST_SCHEDULES)).caught : known;
}

describe("a bug that is put in on purpose", () => {
  test("is not the only one: there are ten and more", () => {
    expect(BUGS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length);
  });

  test.each(BUGS)("is caught: $name", { timeout: 300_000 }, async (bug) => {
    const found = await caught(bug);
    expect(bug.caughtBy).toContain(found?.violation?.invariant);
    const without = await runSchedule({ seed: found?.seed ?? bug.seed });
    expect(without.violation).toBeUndefined();
  });
});
