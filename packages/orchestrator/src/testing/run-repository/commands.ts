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
} from "./subject.ts";

export function describeCommands(factory: RunRepositoryFactory): void {
  describe("commands", () => {
    const subject = perTest(factory);
    const resume = (runId: string, commandId: string = randomUUID()) =>
      ({ schemaVersion: 1, commandId, runId, command: "resume" }) as const;

    test("the same command twice is one, and its id with another body is refused", async () => {
      const { runs } = subject;
      const { runId } = await owned(runs);
      const command = resume(runId);
      expect(await runs.storeCommand(command, "a")).toEqual({ taken: true, isNew: true });
      const before = await runs.eventsOf(runId, { afterSeq: 0, limit: 100 });
      expect(await runs.storeCommand(command, "a")).toEqual({ taken: true, isNew: false });
      const other = { taken: false, because: "another command has this id" };
      expect(await runs.storeCommand(command, "b")).toEqual(other);
      const elsewhere = newRun();
      await runs.insertRun(elsewhere);
      expect(await runs.storeCommand(resume(elsewhere.runId, command.commandId), "c")).toEqual(
        other,
      );
      expect(await runs.eventsOf(runId, { afterSeq: 0, limit: 100 })).toEqual(before);
      expect(await runs.eventsOf(elsewhere.runId, { afterSeq: 1, limit: 100 })).toEqual([]);
    });

    test("a command to no run, or to one that has ended, is refused and leaves nothing", async () => {
      const { runs } = subject;
      const { runId } = await ended(runs);
      const before = await subject.dump();
      for (const [id, because] of [
        [randomUUID(), "no such run"],
        ["latest", "no such run"],
        [runId, "the run has ended"],
      ] as const) {
        expect(await runs.storeCommand(resume(id), "a")).toEqual({ taken: false, because });
      }
      expect(await subject.dump()).toEqual(before);
    });

    test("a command that was refused may be taken when it is sent again", async () => {
      const { runs } = subject;
      const run = newRun();
      const command = resume(run.runId);
      expect(await runs.storeCommand(command, "a")).toMatchObject({ taken: false });
      await runs.insertRun(run);
      expect(await runs.storeCommand(command, "a")).toEqual({ taken: true, isNew: true });
    });

    test("a second cancel is taken, and holds already: it is told once", async () => {
      const { runs } = subject;
      const { runId } = await owned(runs);
      const cancel = () =>
        ({ schemaVersion: 1, commandId: randomUUID(), runId, command: "cancel" }) as const;
      expect(await runs.storeCommand(cancel(), "a")).toEqual({ taken: true, isNew: true });
      expect(await runs.storeCommand(cancel(), "b")).toEqual({ taken: true, isNew: false });
      const events = await runs.eventsOf(runId, { afterSeq: 0, limit: 100 });
      expect(events.filter(({ type }) => type === "run.cancel_requested")).toHaveLength(1);
    });

    test("resume makes a waiting run due, and has the sweeper look in 5 s", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await runs.commitAttempt(hold, {
        events: [],
        wait: { dueInMs: 1_000_000, wakeInMs: 2_000_000 },
      });
      const workerId = await runs.registerWorker("other");
      const claim = { runId, workerId, leaseMs: LEASE_MS };
      expect(await runs.claimRun(claim)).toMatchObject({ because: "it is not due" });
      await runs.storeCommand(resume(runId), "a");
      expect((await found(runs, runId)).isDue).toBe(true);
      await subject.passTime(5_001);
      expect(await runs.sweepRuns({ limit: 1, leaseMs: LEASE_MS, only: runId })).toHaveLength(1);
      await claimed(runs, runId);
      expect(
        (await runs.eventsOf(runId, { afterSeq: 0, limit: 100 })).map(({ type }) => type),
      ).toContain("run.resumed");
    });

    test("resume takes no run away from its owner", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await runs.storeCommand(resume(runId), "a");
      expect(await runs.renewLeases([hold], LEASE_MS)).toHaveLength(1);
      expect((await found(runs, runId)).epoch).toBe(hold.epoch);
    });
  });
}
