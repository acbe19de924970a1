import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { JobPlace } from "../../ports/job-runtime.ts";
import { claimed, ended, LEASE_MS, owned, perTest, type RunRepositoryFactory } from "./subject.ts";

export function describeContainers(factory: RunRepositoryFactory): void {
  describe("containers", () => {
    const subject = perTest(factory);

    /** A run whose owner has put its first phase into a container and has given the run back. */
    async function placed(engineId: string) {
      const { runs } = subject;
      const owner = await owned(runs);
      const attempt = await runs.startAttempt(owner.hold, "prepare");
      const place: JobPlace = { engineId, containerId: "c1", tokenKey: "key" };
      await runs.placeAttempt(owner.hold, {
        phase: "prepare",
        attempt,
        place,
        events: [{ type: "phase.warning", phase: "prepare", attempt, data: { text: "placed" } }],
        artifacts: [{ name: "prepare-1/prompt.md", bytes: 1, sha256: "0".repeat(64) }],
      });
      await runs.releaseRun(owner.hold, []);
      return { ...owner, runs, attempt, place };
    }

    const claim = async (runId: string, engineId: string | undefined) =>
      subject.runs.claimRun({
        runId,
        workerId: await subject.runs.registerWorker("host"),
        leaseMs: LEASE_MS,
        engineId,
      });

    test("a container is stored with what is told of it, and read with its attempt", async () => {
      const { runs, runId, place } = await placed("engine-1");
      const [attempt] = await runs.attemptsOf(runId);
      expect(attempt).toMatchObject({ state: "running", place });
      expect((await runs.artifactsOf(runId)).map(({ name }) => name)).toEqual([
        "prepare-1/prompt.md",
      ]);
      const events = await runs.eventsOf(runId, { afterSeq: 0, limit: 100 });
      expect(events.map(({ data }) => data.text)).toContain("placed");
    });

    test("a fenced worker places nothing", async () => {
      const { runs } = subject;
      const owner = await owned(runs);
      const attempt = await runs.startAttempt(owner.hold, "prepare");
      await runs.releaseRun(owner.hold, []);
      await claimed(runs, owner.runId);
      const before = await subject.dump();
      const place = { engineId: "e", containerId: "c", tokenKey: "k" };
      await expect(
        runs.placeAttempt(owner.hold, {
          phase: "prepare",
          attempt,
          place,
          events: [],
          artifacts: [],
        }),
      ).rejects.toMatchObject({ code: "RUN_FENCED" });
      expect(await subject.dump()).toEqual(before);
    });

    test("a run is claimed by workers of the engine that has its container", async () => {
      const { runId } = await placed("engine-1");
      expect(await claim(runId, "engine-1")).toMatchObject({ claimed: true, run: { epoch: 2 } });
    });

    test.each([["another engine"], [undefined]])(
      "a worker of %s is told where it is, as long as somebody hears of that engine",
      async (engineId) => {
        const { runs, runId } = await placed("engine-1");
        await runs.touchWorker(await runs.registerWorker("there"), "engine-1");
        expect(await claim(runId, engineId)).toEqual({
          claimed: false,
          because: "its engine is another",
          engineId: "engine-1",
        });
        await subject.passTime(89_000);
        expect(await claim(runId, engineId)).toMatchObject({ claimed: false });
        await subject.passTime(2_000);
        expect(await claim(runId, engineId)).toMatchObject({ claimed: true });
      },
    );

    test("a worker that lives, but whose engine does not answer, keeps no engine alive", async () => {
      const { runs, runId } = await placed("engine-1");
      const there = await runs.registerWorker("there");
      await runs.touchWorker(there, "engine-1");
      await subject.passTime(91_000);
      await runs.touchWorker(there);
      expect(await claim(runId, "engine-2")).toMatchObject({ claimed: true });
    });

    test("a cancelled run and an ended one may be claimed by anybody", async () => {
      const { runs, runId } = await placed("engine-1");
      await runs.touchWorker(await runs.registerWorker("there"), "engine-1");
      const command = { schemaVersion: 1, commandId: randomUUID(), runId, command: "cancel" };
      await runs.storeCommand(command as Parameters<typeof runs.storeCommand>[0], "hash");
      expect(await claim(runId, "engine-2")).toMatchObject({ claimed: true });
    });

    test("a run behind its fence is not due before, and `resume` does not bring it there", async () => {
      const { runs, runId } = await placed("engine-1");
      const owner = await claimed(runs, runId);
      await runs.commitAttempt(owner.hold, {
        end: { phase: "prepare", attempt: 1, state: "interrupted" },
        events: [],
        wait: { dueInMs: 90_000, wakeInMs: 90_000, forFence: true },
      });
      expect(await runs.findRun(runId)).toMatchObject({
        parkedFor: "fence",
        status: "in_progress",
        isDue: false,
      });
      const command = { schemaVersion: 1, commandId: randomUUID(), runId, command: "resume" };
      await runs.storeCommand(command as Parameters<typeof runs.storeCommand>[0], "hash");
      expect(await claim(runId, "engine-2")).toMatchObject({ because: "it is not due" });
      await subject.passTime(91_000);
      expect(await claim(runId, "engine-2")).toMatchObject({
        claimed: true,
        run: { parkedFor: null },
      });
    });

    test("open attempts are those that run, of runs that have not ended", async () => {
      const { runs } = subject;
      const open = await placed("engine-1");
      const over = await ended(runs);
      const name = { phase: "prepare", attempt: 1 };
      const asked = [open.runId, over.runId, randomUUID()].map((runId) => ({ runId, ...name }));
      const other = { runId: open.runId, phase: "prepare", attempt: 2 };
      expect(await runs.openAttempts([...asked, other])).toEqual([{ runId: open.runId, ...name }]);
      expect(await runs.openAttempts([])).toEqual([]);
    });
  });
}
