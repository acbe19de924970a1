import { describe, expect, test } from "vitest";
import { runSchedule } from "../src/run/run-schedule.ts";

async function traced(seed: number): Promise<readonly string[]> {
  const lines: string[] = [];
  await runSchedule({ seed, trace: (line) => lines.push(line) });
  return lines;
}

describe("a schedule", () => {
  test("takes the same steps each time", async () => {
    for (const seed of [3, 4]) {
      const lines = await traced(seed);
      expect(lines.length).toBeGreaterThan(100);
      expect(await traced(seed)).toEqual(lines);
    }
  });

  test("takes other steps under another seed", async () => {
    expect(await traced(3)).not.toEqual(await traced(4));
  });

  test("ends its runs, in more ways than one", async () => {
    const outcomes = new Set<string | null>();
    let agentStarts = 0;
    for (let seed = 1; seed <= 30; seed += 1) {
      const result = await runSchedule({ seed });
      expect(result.violation, `seed ${seed}`).toBeUndefined();
      agentStarts += result.agentStarts;
      for (const outcome of result.outcomes) {
        outcomes.add(outcome);
      }
    }
    expect(agentStarts).toBeGreaterThan(30);
    expect([...outcomes].sort()).toEqual(["cancelled", "failed", "succeeded"]);
  });
});
