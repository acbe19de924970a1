import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { refusalLog } from "../../../src/adapters/gateway/refusal-log.ts";
import { recordingLogger } from "../rabbitmq/recording-logger.ts";

const ATTEMPT = { runId: "r", phase: "specify", attempt: 1 };

function openLog() {
  let nowMs = 0;
  const { logger, lines } = recordingLogger();
  const tell = refusalLog(logger, { monotonicMs: () => nowMs });
  return {
    tell,
    lines,
    pass(ms: number) {
      nowMs += ms;
    },
  };
}

test("of ten thousand refusals of a kind five are told, with how many there were", () => {
  const { tell, lines } = openLog();
  for (let ix = 0; ix < 10_000; ix += 1) {
    tell("warn", "model call refused", { refusal: "expired", reason: "expired", ...ATTEMPT });
  }
  expect(lines.map(({ fields }) => fields?.times)).toEqual([undefined, 10, 100, 1_000, 10_000]);
  expect(lines[0]).toMatchObject({ level: "warn", fields: { reason: "expired", runId: "r" } });
});

test("another kind, and another attempt, are told at once", () => {
  const { tell, lines } = openLog();
  tell("info", "egress denied", { refusal: "not_allowed", ...ATTEMPT });
  tell("info", "egress denied", { refusal: "private_address", ...ATTEMPT });
  tell("info", "egress denied", { refusal: "not_allowed", ...ATTEMPT, attempt: 2 });
  expect(lines).toHaveLength(3);
});

test("attempts that are made up fill it neither", () => {
  const { tell, lines } = openLog();
  for (let ix = 0; ix < 10_000; ix += 1) {
    tell("warn", "job refused", { refusal: "forged", ...ATTEMPT, runId: randomUUID() });
  }
  expect(lines.length).toBeLessThan(510);
});

test("an hour later they are told anew", () => {
  const { tell, lines, pass } = openLog();
  for (let hour = 0; hour < 2; hour += 1) {
    tell("warn", "job refused", { refusal: "forged", ...ATTEMPT });
    tell("warn", "job refused", { refusal: "forged", ...ATTEMPT });
    pass(3_600_000);
  }
  expect(lines).toHaveLength(2);
});
