import { expect, test } from "vitest";
import { parseDuration } from "../../src/contract/index.ts";

test.each([
  ["90s", 90_000],
  ["20m", 1_200_000],
  ["12h", 43_200_000],
  ["7d", 604_800_000],
  ["1.5h", 5_400_000],
  ["0.001s", 1],
  ["400d", 34_560_000_000],
])("%s is so long", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  "",
  "7",
  "d",
  "-1d",
  "+1d",
  "0s",
  "1e3s",
  "1 d",
  "7D",
  "7w",
  "401d",
  "1.d",
  "٧d",
  "1h30m",
])("%j is no duration", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});
