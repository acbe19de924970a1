import { describe, expect, test } from "vitest";
import { eventually } from "../src/eventually.ts";

describe("eventually", () => {
  test("resolves with what it saw when it holds", async () => {
    let count = 0;
    const seen = await eventually(
      "it counts",
      () => ++count,
      (value) => value === 3,
      { everyMs: 1 },
    );
    expect(seen).toBe(3);
  });

  test("says what it waited for and what it saw last", async () => {
    const look = () => ({ state: "half" });
    await expect(
      eventually("it is whole", look, ({ state }) => state === "whole", {
        withinMs: 20,
        everyMs: 5,
      }),
    ).rejects.toThrow("Not within 20 ms: it is whole; the last look saw { state: 'half' }");
  });

  test("goes on after a look that failed, and says how the last one failed", async () => {
    let looks = 0;
    const look = () => {
      looks += 1;
      throw new Error(`closed ${looks}`);
    };
    await expect(
      eventually("it answers", look, Boolean, { withinMs: 20, everyMs: 5 }),
    ).rejects.toThrow(/it answers; the last look failed with Error: closed/);
    expect(looks).toBeGreaterThan(1);
  });
});
