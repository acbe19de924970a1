import { describe, expect, test } from "vitest";
import type { Hold, RunRepository } from "../../ports/run-repository.ts";
import { claimed, ended, LEASE_MS, owned, perTest, type RunRepositoryFactory } from "./subject.ts";

const artifact = { name: "a.txt", bytes: 1, sha256: "0".repeat(64) };

/** Every write that takes a hold, with arguments that would be good ones for the owner. */
const WRITES: readonly (readonly [
  string,
  (runs: RunRepository, hold: Hold) => Promise<unknown>,
])[] = [
  ["releaseRun", (runs, hold) => runs.releaseRun(hold, [{ type: "run.handed_over" }])],
  ["startAttempt", (runs, hold) => runs.startAttempt(hold, "specify")],
  ["appendEvents", (runs, hold) => runs.appendEvents(hold, [{ type: "phase.message" }])],
  ["appendEvents of nothing", (runs, hold) => runs.appendEvents(hold, [])],
  ["addArtifacts", (runs, hold) => runs.addArtifacts(hold, [artifact])],
  [
    "allotFeatureDirectory",
    (runs, hold) =>
      runs.allotFeatureDirectory(hold, {
        highestInTree: 0,
        nameFor: (number) => `specs/00${number}-x`,
      }),
  ],
  [
    "commitAttempt of a success",
    (runs, hold) =>
      runs.commitAttempt(hold, {
        end: { phase: "prepare", attempt: 1, state: "succeeded" },
        phaseIx: 1,
        facts: { tipSha: "1".repeat(40) },
        checkpoint: Uint8Array.of(1),
        artifacts: [artifact],
        events: [{ type: "phase.succeeded", phase: "prepare", attempt: 1 }],
      }),
  ],
  [
    "commitAttempt of a wait",
    (runs, hold) => runs.commitAttempt(hold, { events: [], wait: { dueInMs: 1, wakeInMs: 1 } }),
  ],
  [
    "commitAttempt of an outcome",
    (runs, hold) =>
      runs.commitAttempt(hold, {
        events: [],
        outcome: { outcome: "succeeded", closing: () => ({ neverStarted: [], events: [] }) },
      }),
  ],
];

export function describeFencing(factory: RunRepositoryFactory): void {
  describe("a fenced worker writes nothing", () => {
    const subject = perTest(factory);

    test.each(WRITES)("%s", async (_name, write) => {
      const { runs } = subject;
      const sleeper = await owned(runs);
      await runs.startAttempt(sleeper.hold, "prepare");
      await subject.passTime(LEASE_MS + 1);
      await claimed(runs, sleeper.runId);
      const before = await subject.dump();
      await expect(write(runs, sleeper.hold)).rejects.toMatchObject({
        code: "RUN_FENCED",
        disposition: "stop",
      });
      expect(await subject.dump()).toEqual(before);
    });

    test.each(WRITES)("%s, once the run is closed", async (_name, write) => {
      const { runs } = subject;
      const { runId, hold } = await ended(runs);
      const attempt = await runs.startAttempt(hold, "cleanup");
      const { lastSeq } = (await runs.findRun(runId)) ?? { lastSeq: 0 };
      await runs.markEventsSent(runId, lastSeq);
      expect(await runs.finishCleanup(hold, attempt)).toBe(true);
      const before = await subject.dump();
      await expect(write(runs, hold)).rejects.toMatchObject({ code: "RUN_FENCED" });
      expect(await subject.dump()).toEqual(before);
    });

    test("finishCleanup", async () => {
      const { runs } = subject;
      const sleeper = await ended(runs);
      const attempt = await runs.startAttempt(sleeper.hold, "cleanup");
      const { lastSeq } = (await runs.findRun(sleeper.runId)) ?? { lastSeq: 0 };
      await subject.passTime(LEASE_MS + 1);
      await claimed(runs, sleeper.runId);
      await runs.markEventsSent(sleeper.runId, lastSeq + 1);
      const before = await subject.dump();
      await expect(runs.finishCleanup(sleeper.hold, attempt)).rejects.toMatchObject({
        code: "RUN_FENCED",
      });
      expect(await subject.dump()).toEqual(before);
    });

    test("useStartTicket and renewLeases: no ticket, no renewal", async () => {
      const { runs } = subject;
      const sleeper = await owned(runs);
      const attempt = await runs.startAttempt(sleeper.hold, "prepare");
      await subject.passTime(LEASE_MS + 1);
      await claimed(runs, sleeper.runId);
      const before = await subject.dump();
      expect(await runs.useStartTicket(sleeper.hold, "prepare", attempt)).toBe(false);
      expect(await runs.renewLeases([sleeper.hold], LEASE_MS)).toEqual([]);
      expect(await subject.dump()).toEqual(before);
    });
  });
}
