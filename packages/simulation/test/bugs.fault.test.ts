import { describe, expect, test } from "vitest";
import { BUGS } from "../src/bugs/bugs.ts";
import { runSchedule } from "../src/run/run-schedule.ts";

describe("a bug that is put in on purpose", () => {
  test("there are ten of them, and more", () => {
    expect(BUGS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length);
  });

  test.each(BUGS)("$name is caught by seed $seed, which without it shows nothing", async (bug) => {
    const { seed, mutations, caughtBy } = bug;
    const { violation } = await runSchedule({ seed, mutations });
    expect(caughtBy).toContain(violation?.invariant);
    expect((await runSchedule({ seed })).violation).toBeUndefined();
  });
});
