import { expect, test } from "vitest";
import { isCrashLoop, MAX_TAKEOVERS } from "../../src/domain/crash-loop.ts";
import type { AttemptFact } from "../../src/domain/run-state.ts";

const interrupted = (takeovers: number): AttemptFact => ({
  state: "interrupted",
  failureClass: "interrupted",
  takeovers,
});
const failed: AttemptFact = { state: "failed", failureClass: "transient", takeovers: 1 };

test("three owners may die over a phase, over one attempt or over several", () => {
  expect(MAX_TAKEOVERS).toBe(3);
  expect(isCrashLoop([], 3)).toBe(false);
  expect(isCrashLoop([], 4)).toBe(true);
  const three = [interrupted(1), interrupted(1), interrupted(1)];
  expect(isCrashLoop(three, 0)).toBe(false);
  expect(isCrashLoop(three, 1)).toBe(true);
});

test("an orderly hand-over is no death", () => {
  expect(
    isCrashLoop(
      Array.from({ length: 10 }, () => interrupted(0)),
      3,
    ),
  ).toBe(false);
});

test("what was charged is not counted again", () => {
  const before = [interrupted(1), interrupted(1), interrupted(1), failed];
  expect(isCrashLoop([...before, interrupted(1), interrupted(1)], 1)).toBe(false);
  expect(isCrashLoop([...before, interrupted(1), interrupted(1), interrupted(1)], 1)).toBe(true);
});
