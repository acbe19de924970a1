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

export function describeSweeping(factory: RunRepositoryFactory): void {
  describe("sweeping", () => {
    const subject = perTest(factory);
    const sweep = (options: { readonly limit?: number; readonly only?: string } = {}) =>
      subject.runs.sweepRuns({ limit: 100, leaseMs: LEASE_MS, ...options });

    test("finds a new run after 15 s, and an owned one 5 s after its lease ended", async () => {
      const { runs } = subject;
      const fresh = newRun();
      await runs.insertRun(fresh);
      const { runId } = await owned(runs);
      await subject.passTime(13_000);
      expect(await sweep()).toEqual([]);
      await subject.passTime(2_001);
      expect(await sweep()).toEqual([{ runId: fresh.runId, everClaimed: false }]);
      await subject.passTime(18_000);
      expect((await sweep()).map((row) => row.runId)).not.toContain(runId);
      await subject.passTime(2_001);
      expect(await sweep({ only: runId })).toEqual([{ runId, everClaimed: true }]);
    });

    test("counts the runs that were never claimed", async () => {
      const { runs } = subject;
      const before = await runs.countNeverClaimed();
      await runs.insertRun(newRun());
      await runs.insertRun(newRun());
      await owned(runs);
      expect(await runs.countNeverClaimed()).toBe(before + 2);
    });

    test("finds ended runs that are not cleaned up", async () => {
      const { runId } = await ended(subject.runs);
      await subject.passTime(LEASE_MS + 5_001);
      expect(await sweep()).toEqual([{ runId, everClaimed: true }]);
    });

    test("leaves a run alone whose lease is live, and not one whose clock has jumped", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      // A renewal for less than the sweeper thinks: looked at, were it not for the lease.
      await runs.renewLeases([hold], LEASE_MS);
      await subject.passTime(LEASE_MS - 1_000);
      expect(await sweep({ only: runId })).toEqual([]);
      await runs.renewLeases([hold], 10 * LEASE_MS);
      expect((await found(runs, runId)).leaseUntil).not.toBeNull();
      await requestCancel(runs, runId, randomUUID());
      await subject.passTime(5_001);
      expect(await sweep({ only: runId })).toEqual([{ runId, everClaimed: true }]);
    });

    test("looks half as often each time nobody claims, down to every half hour, until somebody does", async () => {
      const run = newRun();
      await subject.runs.insertRun(run);
      await subject.passTime(15_001);
      expect(await sweep()).toHaveLength(1);
      for (const seconds of [30, 60, 120, 240, 480, 960, 1_800, 1_800, 1_800]) {
        await subject.passTime((seconds - 2) * 1_000);
        expect(await sweep(), `before ${seconds} s`).toEqual([]);
        await subject.passTime(2_001);
        expect(await sweep(), `after ${seconds} s`).toHaveLength(1);
      }
      const { hold } = await claimed(subject.runs, run.runId);
      await subject.runs.releaseRun(hold, []);
      await subject.passTime(15_001);
      expect(await sweep()).toHaveLength(1);
      await subject.passTime(30_001);
      expect(await sweep()).toHaveLength(1);
    });

    test("looks at one run alone when asked to", async () => {
      const [mine, other] = [newRun(), newRun()];
      await subject.runs.insertRun(mine);
      await subject.runs.insertRun(other);
      await subject.passTime(15_001);
      expect(await sweep({ only: mine.runId })).toEqual([
        { runId: mine.runId, everClaimed: false },
      ]);
      expect(await sweep({ only: randomUUID() })).toEqual([]);
      expect(await sweep()).toEqual([{ runId: other.runId, everClaimed: false }]);
    });

    test("takes at most its limit, what has waited longest first", async () => {
      const waiting = Array.from({ length: 5 }, () => newRun());
      for (const run of waiting) {
        await subject.runs.insertRun(run);
        await subject.passTime(100);
      }
      await subject.passTime(15_001);
      const ids = waiting.map((run) => run.runId);
      const rounds = [
        await sweep({ limit: 2 }),
        await sweep({ limit: 2 }),
        await sweep({ limit: 2 }),
      ];
      const idsOf = (rows: readonly { readonly runId: string }[]) =>
        rows.map((row) => row.runId).sort();
      expect(rounds.map(idsOf)).toEqual(
        [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)].map((part) => [...part].sort()),
      );
    });

    test("sweepers at once never take a run twice, and together miss none", async () => {
      const waiting = Array.from({ length: 60 }, () => newRun());
      await Promise.all(waiting.map((run) => subject.runs.insertRun(run)));
      await subject.passTime(15_001);
      const seen: string[] = [];
      for (let rounds = 0; rounds < 60 && seen.length < waiting.length; rounds += 1) {
        const batches = await Promise.all(Array.from({ length: 4 }, () => sweep({ limit: 7 })));
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(7);
          seen.push(...batch.map((row) => row.runId));
        }
      }
      expect(seen.sort()).toEqual(waiting.map((run) => run.runId).sort());
    });
  });

  describe("cancelling", () => {
    const subject = perTest(factory);

    test("is stored once per command, with its event", async () => {
      const { runs } = subject;
      const { runId } = await owned(runs);
      const commandId = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => requestCancel(runs, runId, commandId)),
      );
      expect(new Set(answers)).toEqual(new Set([true]));
      expect(await found(runs, runId)).toMatchObject({ cancelRequested: true, outcome: null });
      const events = await runs.eventsOf(runId, { afterSeq: 2, limit: 10 });
      expect(events).toMatchObject([{ type: "run.cancel_requested", data: { commandId } }]);
    });

    test("comes too late for a run that has ended, and for none at all", async () => {
      const { runs } = subject;
      const { runId } = await ended(runs);
      const before = await subject.dump();
      expect(await requestCancel(runs, runId, randomUUID())).toBe(false);
      expect(await requestCancel(runs, randomUUID(), randomUUID())).toBe(false);
      expect(await subject.dump()).toEqual(before);
    });

    test("is looked at within 5 s, and lets a run be claimed that is not due", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await runs.commitAttempt(hold, {
        events: [],
        wait: { dueInMs: 1_000_000, wakeInMs: 2_000_000 },
      });
      await requestCancel(runs, runId, randomUUID());
      await subject.passTime(5_001);
      expect(await runs.sweepRuns({ limit: 1, leaseMs: LEASE_MS, only: runId })).toHaveLength(1);
      expect((await claimed(runs, runId)).run.cancelRequested).toBe(true);
    });

    test("is not put off by a wait that its owner commits without knowing of it", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await requestCancel(runs, runId, randomUUID());
      await runs.commitAttempt(hold, {
        events: [],
        wait: { dueInMs: 1_000_000, wakeInMs: 2_000_000 },
      });
      await subject.passTime(5_001);
      expect(await runs.sweepRuns({ limit: 1, leaseMs: LEASE_MS, only: runId })).toHaveLength(1);
      expect((await claimed(runs, runId)).run.cancelRequested).toBe(true);
    });
  });
}
