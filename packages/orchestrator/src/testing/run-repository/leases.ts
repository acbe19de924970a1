import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  claimed,
  ended,
  LEASE_MS,
  newRun,
  owned,
  perTest,
  type RunRepositoryFactory,
  requestCancel,
} from "./subject.ts";

export function describeLeases(factory: RunRepositoryFactory): void {
  describe("leases", () => {
    const subject = perTest(factory);

    /** What a worker that comes now is told. */
    async function tryClaim(runId: string, workerId?: number, leaseMs = LEASE_MS) {
      const { runs } = subject;
      const result = await runs.claimRun({
        runId,
        workerId: workerId ?? (await runs.registerWorker("other")),
        leaseMs,
      });
      return result.claimed ? "claimed" : result.because;
    }

    test("the first claim starts a run, the next one raises its epoch", async () => {
      const { runs } = subject;
      const first = await owned(runs);
      expect(first.run).toMatchObject({
        epoch: 1,
        status: "in_progress",
        leaseOwner: first.workerId,
        hasLiveLease: true,
        startedAt: expect.any(Date),
      });
      await subject.passTime(LEASE_MS + 1);
      const second = await claimed(runs, first.runId);
      expect(second.run.epoch).toBe(2);
      const events = await runs.eventsOf(first.runId, { afterSeq: 0, limit: 10 });
      expect(events.map((event) => event.type)).toEqual([
        "run.accepted",
        "run.started",
        "run.claimed",
      ]);
    });

    test("a claim returns the attempts there are", async () => {
      const { runs } = subject;
      const { runId, hold, attempts } = await owned(runs);
      expect(attempts).toEqual([]);
      await runs.startAttempt(hold, "prepare");
      await subject.passTime(LEASE_MS + 1);
      expect((await claimed(runs, runId)).attempts).toMatchObject([
        { phase: "prepare", attempt: 1, state: "running", endedAt: null },
      ]);
    });

    test("a live lease keeps everybody else out, and a refused claim writes nothing", async () => {
      const { runId } = await owned(subject.runs);
      await subject.runs.registerWorker("other");
      await subject.passTime(LEASE_MS - 5_000);
      const other = await subject.runs.registerWorker("other");
      const before = await subject.dump();
      expect(await tryClaim(runId, other)).toBe("another worker has it");
      expect(await subject.dump()).toEqual(before);
    });

    test("a worker whose claim was not answered claims again, and the first one counts no more", async () => {
      const { runs } = subject;
      const { runId, workerId, hold } = await owned(runs);
      expect(await tryClaim(runId, workerId)).toBe("claimed");
      await expect(runs.appendEvents(hold, [])).rejects.toMatchObject({ code: "RUN_FENCED" });
    });

    test("of 10 workers that claim at once, one gets the run", async () => {
      const { runs } = subject;
      const run = newRun();
      await runs.insertRun(run);
      const workers = await Promise.all(Array.from({ length: 10 }, () => runs.registerWorker("h")));
      const results = await Promise.all(workers.map((workerId) => tryClaim(run.runId, workerId)));
      expect(results.sort()).toEqual([...Array(9).fill("another worker has it"), "claimed"]);
      expect(await runs.findRun(run.runId)).toMatchObject({ epoch: 1 });
    });

    test("of 10 workers that take over at once, one gets the run", async () => {
      const { runs } = subject;
      const { runId } = await owned(runs);
      await subject.passTime(LEASE_MS + 1);
      const workers = await Promise.all(Array.from({ length: 10 }, () => runs.registerWorker("h")));
      const results = await Promise.all(workers.map((workerId) => tryClaim(runId, workerId)));
      expect(results.filter((result) => result === "claimed")).toHaveLength(1);
      expect(await runs.findRun(runId)).toMatchObject({ epoch: 2 });
    });

    test("there is nothing to claim of a run that is not there", async () => {
      expect(await tryClaim(randomUUID())).toBe("no such run");
    });

    test("a lease further ahead than two lengths counts as expired: a clock was set back", async () => {
      const { runId } = await owned(subject.runs);
      expect(await tryClaim(runId, undefined, LEASE_MS / 2 + 100)).toBe("another worker has it");
      expect(await tryClaim(runId, undefined, LEASE_MS / 2 - 1_000)).toBe("claimed");
    });

    test("a renewal keeps the lease alive", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      for (let beats = 0; beats < 3; beats += 1) {
        await subject.passTime(LEASE_MS - 5_000);
        expect(await runs.renewLeases([hold], LEASE_MS)).toEqual([
          { runId, cancelRequested: false },
        ]);
        expect(await tryClaim(runId)).toBe("another worker has it");
      }
      await subject.passTime(LEASE_MS + 1);
      expect(await tryClaim(runId)).toBe("claimed");
    });

    test("one renewal serves many runs, brings news of a cancel, and leaves out what is fenced", async () => {
      const { runs } = subject;
      const [kept, cancelled, fenced, released] = [
        await owned(runs),
        await owned(runs),
        await owned(runs),
        await owned(runs),
      ];
      await requestCancel(runs, cancelled.runId, randomUUID());
      await runs.releaseRun(fenced.hold, []);
      await claimed(runs, fenced.runId);
      await runs.releaseRun(released.hold, []);
      const holds = [kept, cancelled, fenced, released].map((owner) => owner.hold);
      const before = await runs.findRun(fenced.runId);
      const renewed = await runs.renewLeases(holds, LEASE_MS);
      expect(new Map(renewed.map((row) => [row.runId, row.cancelRequested]))).toEqual(
        new Map([
          [kept.runId, false],
          [cancelled.runId, true],
        ]),
      );
      expect((await runs.findRun(fenced.runId))?.leaseUntil).toEqual(before?.leaseUntil);
      expect(await runs.findRun(released.runId)).toMatchObject({ leaseOwner: null });
      expect(await runs.renewLeases([], LEASE_MS)).toEqual([]);
    });

    test("a run that was given back is free at once, and looked at in 15 s", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await runs.releaseRun(hold, [{ type: "run.handed_over" }]);
      expect(await runs.findRun(runId)).toMatchObject({
        leaseOwner: null,
        leaseUntil: null,
        hasLiveLease: false,
      });
      const look = { limit: 10, leaseMs: LEASE_MS, only: runId };
      await subject.passTime(13_000);
      expect(await runs.sweepRuns(look)).toEqual([]);
      await subject.passTime(2_001);
      expect(await runs.sweepRuns(look)).toEqual([{ runId, everClaimed: true }]);
      expect(await claimed(runs, runId)).toMatchObject({ run: { epoch: 2 }, leftAt: null });
      const last = (await runs.eventsOf(runId, { afterSeq: 2, limit: 10 })).map(
        (event) => event.type,
      );
      expect(last).toEqual(["run.handed_over", "run.claimed"]);
    });

    test("a run that waits is claimed when it is due, not before", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await runs.commitAttempt(hold, { events: [], wait: { dueInMs: 25_000, wakeInMs: 45_000 } });
      expect(await runs.findRun(runId)).toMatchObject({
        status: "in_progress",
        isDue: false,
        leaseOwner: null,
      });
      await subject.passTime(20_000);
      expect(await tryClaim(runId)).toBe("it is not due");
      await subject.passTime(5_001);
      expect(await runs.findRun(runId)).toMatchObject({ isDue: true });
      expect(await tryClaim(runId)).toBe("claimed");
    });

    test("an ended run is claimed for its cleanup, and keeps its outcome and status", async () => {
      const { runs } = subject;
      const { runId } = await ended(runs);
      await subject.passTime(LEASE_MS + 1);
      expect((await claimed(runs, runId)).run).toMatchObject({
        status: "failed",
        outcome: "failed",
        epoch: 2,
      });
    });
  });
}
