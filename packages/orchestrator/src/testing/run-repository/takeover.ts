import { describe, expect, test } from "vitest";
import { LEASE_MS, newRun, perTest, type RunRepositoryFactory } from "./subject.ts";

export function describeTakeover(factory: RunRepositoryFactory): void {
  describe("takeover", () => {
    const subject = perTest(factory);

    /** A run owned by a worker that holds its session, and another worker that wants it. */
    async function ownedBySomebody() {
      const { runs } = subject;
      const [owner, other] = [
        await runs.registerWorker("owner"),
        await runs.registerWorker("other"),
      ];
      const run = newRun();
      await runs.insertRun(run);
      const session = await runs.holdSession(owner);
      const { runId } = run;
      await runs.claimRun({ runId, workerId: owner, leaseMs: LEASE_MS });
      const claim = (more: { isRedelivered?: boolean; suspectEpoch?: number } = {}) =>
        runs.claimRun({ runId, workerId: other, leaseMs: LEASE_MS, ...more });
      return { runs, runId, session, claim, hold: { runId, epoch: 1 } };
    }

    test("a wake-up delivered for the first time leaves an owner alone, dead or alive", async () => {
      const { session, claim } = await ownedBySomebody();
      expect(await claim()).toEqual({ claimed: false, because: "another worker has it" });
      await session[Symbol.asyncDispose]();
      expect(await claim()).toEqual({ claimed: false, because: "another worker has it" });
    });

    test("a redelivered one asks again while the owner looks alive, once per epoch", async () => {
      const { session, claim } = await ownedBySomebody();
      const asksAgain = { claimed: false, because: "its owner may be dead", epoch: 1 };
      expect(await claim({ isRedelivered: true })).toEqual(asksAgain);
      const asked = await claim({ suspectEpoch: 1 });
      expect(asked).toEqual({ claimed: false, because: "another worker has it" });
      expect(await claim({ suspectEpoch: 7 })).toEqual(asked);
      await session[Symbol.asyncDispose]();
    });

    test.each([
      ["redelivered", { isRedelivered: true }],
      ["that names its epoch", { suspectEpoch: 1 }],
    ])("a wake-up %s takes over from an owner that is gone, and fences it", async (_how, more) => {
      const { runs, session, claim, hold } = await ownedBySomebody();
      await session[Symbol.asyncDispose]();
      expect(await claim(more)).toMatchObject({ claimed: true, run: { epoch: 2 } });
      await expect(runs.startAttempt(hold, "prepare")).rejects.toMatchObject({
        code: "RUN_FENCED",
      });
      expect(await runs.renewLeases([hold], LEASE_MS)).toEqual([]);
    });

    test("of two workers that take over at once one gets the run", async () => {
      const { runs, runId, session } = await ownedBySomebody();
      await session[Symbol.asyncDispose]();
      const workers = [await runs.registerWorker("one"), await runs.registerWorker("two")];
      const results = await Promise.all(
        workers.map((workerId) =>
          runs.claimRun({ runId, workerId, leaseMs: LEASE_MS, isRedelivered: true }),
        ),
      );
      expect(results.filter((result) => result.claimed)).toHaveLength(1);
    });

    test("nothing is known of an owner that never held a session: it is waited out", async () => {
      const { runs } = subject;
      const [owner, other] = [
        await runs.registerWorker("owner"),
        await runs.registerWorker("other"),
      ];
      const { runId, ...run } = newRun();
      await runs.insertRun({ runId, ...run });
      await runs.claimRun({ runId, workerId: owner, leaseMs: LEASE_MS });
      const redelivered = { runId, workerId: other, leaseMs: LEASE_MS, isRedelivered: true };
      expect(await runs.claimRun(redelivered)).toMatchObject({ because: "its owner may be dead" });
      await subject.passTime(LEASE_MS + 1);
      expect(await runs.claimRun(redelivered)).toMatchObject({ claimed: true });
    });
  });
}
