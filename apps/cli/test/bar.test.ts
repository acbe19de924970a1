import { expect, test } from "vitest";
import { bar } from "../src/output/bar.ts";
import { shortDuration } from "../src/output/duration.ts";

test("a bar is as long as its part, in eighths of a block, or plain; what is more than nothing shows", () => {
  expect(bar(1, 2, 4, true)).toBe("██");
  expect(bar(5, 16, 4, true)).toBe("█▎");
  expect(bar(1, 10_000, 4, true)).toBe("▏");
  expect(bar(4, 4, 4, true)).toBe("████");
  expect([bar(0, 4, 4, true), bar(0, 0, 4, true), bar(0, 4, 4, false)]).toEqual(["", "", ""]);
  expect(bar(1, 2, 4, false)).toBe("##");
  expect(bar(1, 10_000, 4, false)).toBe("#");
  expect(bar(9, 3, 4, false)).toBe("####");
});

test("a duration is short, and rounds into the next unit", () => {
  expect([null, 0, 850, 12_345, 59_949].map(shortDuration)).toEqual([
    "-",
    "0 ms",
    "850 ms",
    "12.3 s",
    "59.9 s",
  ]);
  expect([60_000, 245_000, 3_599_700, 7_380_000].map(shortDuration)).toEqual([
    "1m 00s",
    "4m 05s",
    "1h 00m",
    "2h 03m",
  ]);
});
