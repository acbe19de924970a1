import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { RunRepository } from "../../ports/run-repository.ts";
import {
  claimed,
  found,
  LEASE_MS,
  type Owned,
  owned,
  perTest,
  type RunRepositoryFactory,
  requestCancel,
} from "./subject.ts";

/** Lets a run rest for a credential, as its owner. */
async function rest(
  runs: RunRepository,
  { hold }: Owned,
  forMs: number,
  credential: string | null = "codex",
): Promise<void> {
  await runs.commitAttempt(hold, {
    events: [{ type: "run.cooling", phase: "specify", data: { coolDownMs: forMs } }],
    wait: { dueInMs: forMs, wakeInMs: forMs, coolDown: { credential } },
  });
}

export function describeCooling(factory: RunRepositoryFactory): void {
  describe("cool-downs", () => {
    const subject = perTest(factory);
    const tryClaim = async (runId: string) => {
      const workerId = await subject.runs.registerWorker("host");
      return subject.runs.claimRun({ runId, workerId, leaseMs: LEASE_MS });
    };
    const sweep = () => subject.runs.sweepRuns({ limit: 100, leaseMs: LEASE_MS });
    const resume = (runId: string) =>
      subject.runs.storeCommand(
        { schemaVersion: 1, commandId: randomUUID(), runId, command: "resume" },
        "hash",
      );
    const dueInMs = async (runId: string) => {
      const { dueAt, isDue } = await found(subject.runs, runId);
      return isDue ? 0 : dueAt.getTime() - Date.now();
    };

    test("a run that waits for its credential is nobody's, and due when that is over", async () => {
      const { runs } = subject;
      const owner = await owned(runs);
      await rest(runs, owner, 60_000);
      expect(await found(runs, owner.runId)).toMatchObject({
        status: "in_progress",
        parkedFor: "credential",
        credential: "codex",
        cooledMs: 60_000,
        leaseOwner: null,
        isDue: false,
      });
      expect(await tryClaim(owner.runId)).toMatchObject({ because: "it is not due" });
      await subject.passTime(59_000);
      expect(await sweep()).toEqual([]);
      await subject.passTime(1_001);
      expect(await sweep()).toEqual([{ runId: owner.runId, everClaimed: true }]);
      const again = await claimed(runs, owner.runId);
      expect(again.run).toMatchObject({ parkedFor: null, credential: "codex", idleClaims: 0 });
    });

    test("adds up what a run has waited, of its cool-downs alone", async () => {
      const { runs } = subject;
      const first = await owned(runs);
      await rest(runs, first, 60_000);
      await subject.passTime(60_001);
      const second = await claimed(runs, first.runId);
      await runs.commitAttempt(second.hold, {
        events: [],
        wait: { dueInMs: 4_000, wakeInMs: 20_000 },
      });
      await subject.passTime(20_001);
      const third = await claimed(runs, first.runId);
      await rest(runs, third, 30_000, null);
      expect(await found(runs, first.runId)).toMatchObject({ cooledMs: 90_000, credential: null });
    });

    test("a cancel is not kept waiting", async () => {
      const { runs } = subject;
      const owner = await owned(runs);
      await rest(runs, owner, 3_600_000);
      expect(await requestCancel(runs, owner.runId)).toBe(true);
      await subject.passTime(5_001);
      expect(await sweep()).toHaveLength(1);
      expect(await tryClaim(owner.runId)).toMatchObject({ claimed: true });
    });

    test("no `resume` makes a run due before its credential may be used", async () => {
      const { runs, credentials } = subject;
      const owner = await owned(runs);
      await credentials.coolDown("codex", 600_000, "rate_limited");
      await rest(runs, owner, 620_000);
      expect(await resume(owner.runId)).toEqual({ taken: true, isNew: true });
      const leftMs = await dueInMs(owner.runId);
      expect(leftMs).toBeGreaterThan(590_000);
      expect(leftMs).toBeLessThanOrEqual(600_000);
      await subject.passTime(590_000);
      expect(await sweep()).toEqual([]);
      await subject.passTime(10_001);
      expect(await sweep()).toHaveLength(1);
      await claimed(runs, owner.runId);
    });

    test("a `resume` makes a run due at once whose credential rests no more", async () => {
      const { runs } = subject;
      const owner = await owned(runs);
      await rest(runs, owner, 3_600_000);
      await resume(owner.runId);
      expect(await dueInMs(owner.runId)).toBe(0);
      await claimed(runs, owner.runId);
    });

    test("a run that ends waits for nothing", async () => {
      const { runs } = subject;
      const owner = await owned(runs);
      await rest(runs, owner, 0);
      const again = await claimed(runs, owner.runId);
      await runs.commitAttempt(again.hold, {
        events: [],
        outcome: {
          outcome: "failed",
          closing: () => ({ neverStarted: [], events: [{ type: "run.failed" }] }),
        },
      });
      expect(await found(runs, owner.runId)).toMatchObject({ parkedFor: null, status: "failed" });
    });
  });
}
