import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { RunRepository } from "../../ports/run-repository.ts";
import { ended, found, newRun, owned, perTest, type RunRepositoryFactory } from "./subject.ts";

const DAY_MS = 86_400_000;
const YEAR = { olderThanMs: 400 * DAY_MS, limit: 100 };
const ARTIFACT = {
  name: "plan-1/stdout.log",
  bytes: 7,
  sha256: "a".repeat(64),
  truncated: true,
} as const;

/** A run that is over, with an artifact. */
async function closed(runs: RunRepository): Promise<string> {
  const { runId, hold } = await ended(runs);
  await runs.addArtifacts(hold, [ARTIFACT]);
  const attempt = await runs.startAttempt(hold, "cleanup");
  await runs.markEventsSent(runId, (await found(runs, runId)).lastSeq);
  if (!(await runs.finishCleanup(hold, attempt))) {
    throw new Error(`Run ${runId} has events that are not sent`);
  }
  return runId;
}

export function describeRetention(factory: RunRepositoryFactory): void {
  describe("retention", () => {
    const subject = perTest(factory);
    /** A little more, for what was stored a little later. */
    const pass = (days: number) => subject.passTime(days * DAY_MS + 1_000);
    const giveUp = (limit = 100) => subject.runs.giveUpArtifacts(limit);

    test("artifacts are given up when their time is over, the longest due first, and their rows stay", async () => {
      const { runs } = subject;
      const first = await closed(runs);
      await pass(1);
      const second = await closed(runs);
      const third = await closed(runs);
      expect(await giveUp()).toBe(0);
      await pass(6);
      expect(await giveUp()).toBe(1);
      const ids = [first, second, third, randomUUID(), "not an id"];
      expect(await runs.givenUpArtifacts(ids)).toEqual([first]);
      await pass(1);
      expect(await giveUp(1)).toBe(1);
      expect(await runs.givenUpArtifacts(ids)).toHaveLength(2);
      expect(await giveUp(1)).toBe(1);
      expect(await giveUp(1)).toBe(0);
      expect(await runs.artifactsOf(first)).toEqual([ARTIFACT]);
      expect((await found(runs, first)).artifactsDeletedAt).toBeInstanceOf(Date);
    });

    test("a run that is not over keeps what it has, however old it is", async () => {
      const { runs } = subject;
      const live = await owned(runs);
      const uncleaned = await ended(runs);
      await pass(800);
      expect(await giveUp()).toBe(0);
      expect(await runs.deleteOldRows(YEAR)).toMatchObject({ runs: 0 });
      expect(await runs.findRun(live.runId)).toBeDefined();
      expect(await runs.findRun(uncleaned.runId)).toBeDefined();
    });

    test("a run that somebody keeps stays until it is released, and a while longer", async () => {
      const { runs } = subject;
      const runId = await closed(runs);
      expect(await runs.keepRun(runId, "audit")).toBe("kept");
      const before = await found(runs, runId);
      expect(await runs.keepRun(runId, null)).toBe("kept");
      expect(await found(runs, runId)).toMatchObject({ keptAt: before.keptAt, keptReason: null });
      await pass(800);
      expect(await giveUp()).toBe(0);
      expect(await runs.deleteOldRows(YEAR)).toMatchObject({ runs: 0 });

      expect(await runs.releaseKeptRun(runId, DAY_MS)).toBe(true);
      expect(await found(runs, runId)).toMatchObject({ keptAt: null, keptReason: null });
      expect(await giveUp()).toBe(0);
      await pass(1);
      // Of a run that nobody keeps, it changes nothing.
      expect(await runs.releaseKeptRun(runId, DAY_MS)).toBe(true);
      expect(await giveUp()).toBe(1);
      expect(await runs.keepRun(runId, "too late")).toBe("its artifacts are deleted");
    });

    test("a live run can be kept, and its artifacts get their whole time from its end", async () => {
      const { runs } = subject;
      const { runId } = await owned(runs);
      expect(await runs.keepRun(runId, "watch this one")).toBe("kept");
      expect(await runs.releaseKeptRun(runId, DAY_MS)).toBe(true);
      expect(await found(runs, runId)).toMatchObject({ artifactsExpireAt: null, keptAt: null });
    });

    test("no run is kept or released that is not there", async () => {
      const { runs } = subject;
      for (const id of [randomUUID(), "not an id"]) {
        expect(await runs.keepRun(id, null)).toBe("no such run");
        expect(await runs.releaseKeptRun(id, 0)).toBe(false);
      }
    });

    test("names the runs with artifacts a page at a time", async () => {
      const { runs } = subject;
      await owned(runs);
      const ids = [await closed(runs), await closed(runs), await closed(runs)].sort();
      expect(await runs.runsWithArtifacts({ limit: 2 })).toEqual(ids.slice(0, 2));
      expect(await runs.runsWithArtifacts({ after: ids[1], limit: 2 })).toEqual(ids.slice(2));
      await pass(7);
      await giveUp();
      expect(await runs.runsWithArtifacts({ limit: 2 })).toEqual([]);
    });

    test("rows go with all that hangs on them, a day after the artifacts at the earliest", async () => {
      const { runs } = subject;
      const runId = await closed(runs);
      const retry = newRun({ goesOn: { by: "retry", from: runId } });
      await runs.insertRun(retry);
      await pass(401);
      expect(await runs.deleteOldRows(YEAR)).toMatchObject({ runs: 0 });
      await giveUp();
      expect(await runs.deleteOldRows(YEAR)).toMatchObject({ runs: 0 });
      await pass(1);
      expect(await runs.deleteOldRows({ ...YEAR, olderThanMs: 403 * DAY_MS })).toMatchObject({
        runs: 0,
      });
      expect(await runs.deleteOldRows(YEAR)).toMatchObject({ runs: 1 });
      expect(await runs.findRun(runId)).toBeUndefined();
      expect(await runs.artifactsOf(runId)).toEqual([]);
      expect(await runs.attemptsOf(runId)).toEqual([]);
      expect(await runs.eventsOf(runId, { afterSeq: 0, limit: 10 })).toEqual([]);
      expect(await found(runs, retry.runId)).toMatchObject({ retryOf: null, status: "queued" });
    });

    test("workers that are long gone are forgotten, unless a run still names one", async () => {
      const { runs } = subject;
      const gone = await runs.registerWorker("gone");
      const owner = await owned(runs);
      const working = await runs.registerWorker("working");
      await pass(401);
      await runs.touchWorker(working);
      expect(await runs.deleteOldRows(YEAR)).toMatchObject({ workers: 1 });
      expect((await found(runs, owner.runId)).leaseOwner).toBe(owner.workerId);
      expect(await runs.registerWorker("next")).toBeGreaterThan(Math.max(gone, working));
    });
  });
}
