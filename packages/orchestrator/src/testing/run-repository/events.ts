import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  claimed,
  ended,
  found,
  LEASE_MS,
  newRun,
  owned,
  perTest,
  type RunRepositoryFactory,
  requestCancel,
} from "./subject.ts";

export function describeEvents(factory: RunRepositoryFactory): void {
  describe("events", () => {
    const subject = perTest(factory);

    test("have no gap and keep their order, however many write at once", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const batches = Array.from({ length: 20 }, (_, batch) =>
        [0, 1, 2].map((ix) => ({ type: "phase.message" as const, data: { batch, ix } })),
      );
      await Promise.all([
        ...batches.map((batch) => runs.appendEvents(hold, batch)),
        ...Array.from({ length: 5 }, () => requestCancel(runs, runId, randomUUID())),
      ]);
      const events = await runs.eventsOf(runId, { afterSeq: 0, limit: 1_000 });
      expect(events.map((event) => event.seq)).toEqual(
        Array.from({ length: 63 }, (_, ix) => ix + 1),
      );
      expect((await found(runs, runId)).lastSeq).toBe(63);
      const messages = events.filter((event) => event.type === "phase.message");
      // The three of a batch were written in one go: nothing stands between them.
      for (let ix = 0; ix < messages.length; ix += 3) {
        const three = messages.slice(ix, ix + 3);
        expect(three.map((event) => event.data.ix)).toEqual([0, 1, 2]);
        expect(three.map((event) => event.seq - (three[0]?.seq ?? 0))).toEqual([0, 1, 2]);
      }
    });

    test("say what was said, as JSON: no NUL and no lone surrogate makes a write fail", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const data = {
        text: "a\u0000b\ud800c 🙂",
        left: undefined,
        "n\u0000": [1, null, { x: true }],
      };
      await runs.appendEvents(hold, [{ type: "phase.message", data }]);
      const [event] = await runs.eventsOf(runId, { afterSeq: 2, limit: 1 });
      expect(event?.data).toEqual({
        text: "a\uFFFDb\uFFFDc 🙂",
        "n\uFFFD": [1, null, { x: true }],
      });
      expect(event?.data).not.toHaveProperty("left");
    });

    test("are read after a number, up to a limit", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await runs.appendEvents(
        hold,
        Array.from({ length: 8 }, () => ({ type: "phase.message" }) as const),
      );
      const seqs = async (afterSeq: number, limit: number) =>
        (await runs.eventsOf(runId, { afterSeq, limit })).map((event) => event.seq);
      expect(await seqs(4, 3)).toEqual([5, 6, 7]);
      expect(await seqs(9, 100)).toEqual([10]);
      expect(await seqs(10, 100)).toEqual([]);
    });

    test("past the watermark are unsent, and the watermark never moves back", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await runs.appendEvents(
        hold,
        Array.from({ length: 8 }, () => ({ type: "phase.message" }) as const),
      );
      const unsent = async () => (await runs.unsentEvents(runId, 100)).map((event) => event.seq);
      expect(await unsent()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(await runs.unsentEvents(runId, 2)).toHaveLength(2);
      await Promise.all([6, 2, 8, 4].map((seq) => runs.markEventsSent(runId, seq)));
      expect(await unsent()).toEqual([9, 10]);
      await runs.markEventsSent(runId, 3);
      expect(await unsent()).toEqual([9, 10]);
      expect((await found(runs, runId)).sentSeq).toBe(8);
    });

    test("that nobody owns are found, oldest run first, and not those of a live owner", async () => {
      const { runs } = subject;
      const [first, second] = [newRun(), newRun()];
      await runs.insertRun(first);
      await runs.insertRun(second);
      await owned(runs);
      expect(await runs.runsWithUnsentEvents(10)).toEqual([first.runId, second.runId]);
      expect(await runs.runsWithUnsentEvents(1)).toEqual([first.runId]);
      await runs.markEventsSent(first.runId, 1);
      await subject.passTime(LEASE_MS + 1);
      expect(await runs.runsWithUnsentEvents(10)).toHaveLength(2);
    });
  });

  describe("cleanup", () => {
    const subject = perTest(factory);

    test("is refused before the outcome", async () => {
      const { runs } = subject;
      const { hold } = await owned(runs);
      const before = await subject.dump();
      await expect(runs.finishCleanup(hold, 1)).rejects.toThrow();
      expect(await subject.dump()).toEqual(before);
    });

    test("closes the run only when every event has been sent", async () => {
      const { runs } = subject;
      const { runId, hold } = await ended(runs);
      const attempt = await runs.startAttempt(hold, "cleanup");
      const { lastSeq } = await found(runs, runId);
      await runs.markEventsSent(runId, lastSeq - 1);
      expect(await runs.finishCleanup(hold, attempt)).toBe(false);
      expect(await found(runs, runId)).toMatchObject({
        cleanedAt: null,
        leaseOwner: null,
        wakeAt: expect.any(Date),
      });
      expect(await runs.attemptsOf(runId)).toMatchObject([{ phase: "cleanup", state: "running" }]);

      await subject.passTime(13_000);
      expect(await runs.sweepRuns({ limit: 10, leaseMs: LEASE_MS, only: runId })).toEqual([]);
      await subject.passTime(2_001);
      expect(await runs.sweepRuns({ limit: 10, leaseMs: LEASE_MS, only: runId })).toHaveLength(1);
      const next = await claimed(runs, runId);
      expect(next.attempts).toMatchObject([{ phase: "cleanup", attempt, state: "running" }]);
      await runs.markEventsSent(runId, (await found(runs, runId)).lastSeq);
      expect(await runs.finishCleanup(next.hold, attempt)).toBe(true);
      expect(await runs.attemptsOf(runId)).toMatchObject([
        { phase: "cleanup", state: "succeeded" },
      ]);
    });

    test("is the end: nobody looks again, claims, cancels or writes", async () => {
      const { runs } = subject;
      const { runId, hold } = await ended(runs);
      const attempt = await runs.startAttempt(hold, "cleanup");
      await runs.markEventsSent(runId, (await found(runs, runId)).lastSeq);
      expect(await runs.finishCleanup(hold, attempt)).toBe(true);
      expect(await found(runs, runId)).toMatchObject({
        status: "failed",
        cleanedAt: expect.any(Date),
        wakeAt: null,
        leaseOwner: null,
      });
      await subject.passTime(1_000_000_000);
      expect(await runs.sweepRuns({ limit: 10, leaseMs: LEASE_MS })).toEqual([]);
      expect(await runs.runsWithUnsentEvents(10)).toEqual([]);
      expect(await requestCancel(runs, runId, randomUUID())).toBe(false);
      const workerId = await runs.registerWorker("late");
      expect(await runs.claimRun({ runId, workerId, leaseMs: LEASE_MS })).toEqual({
        claimed: false,
        because: "the run is over",
      });
    });

    test("an attempt that is not open closes nothing", async () => {
      const { runs } = subject;
      const { runId, hold } = await ended(runs);
      const attempt = await runs.startAttempt(hold, "cleanup");
      await runs.markEventsSent(runId, (await found(runs, runId)).lastSeq);
      const before = await subject.dump();
      await expect(runs.finishCleanup(hold, attempt + 1)).rejects.toMatchObject({
        code: "RUN_FENCED",
      });
      expect(await subject.dump()).toEqual(before);
    });

    test("that failed is started again", async () => {
      const { runs } = subject;
      const { runId, hold } = await ended(runs);
      const attempt = await runs.startAttempt(hold, "cleanup");
      await runs.commitAttempt(hold, {
        end: { phase: "cleanup", attempt, state: "failed" },
        events: [{ type: "phase.failed", phase: "cleanup", attempt }],
        wait: { dueInMs: 0, wakeInMs: 15_000 },
      });
      const next = await claimed(runs, runId);
      expect(await runs.startAttempt(next.hold, "cleanup")).toBe(2);
    });
  });
}
