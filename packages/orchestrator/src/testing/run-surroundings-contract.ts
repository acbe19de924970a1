import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunSurroundingsReader } from "../ports/run-surroundings.ts";
import { claimed, newRun, owned, type RunRepositoryUnderTest } from "./run-repository/subject.ts";

export interface RunSurroundingsUnderTest extends RunRepositoryUnderTest, AsyncDisposable {
  /** Of the same database. */
  readonly surroundings: RunSurroundingsReader;
}

/** What an explanation relies on of the world around a run, as Vitest tests. */
export function describeRunSurroundings(
  name: string,
  open: () => Promise<RunSurroundingsUnderTest>,
): void {
  describe(`RunSurroundingsReader: ${name}`, () => {
    let under: RunSurroundingsUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under[Symbol.asyncDispose]());

    test("there is nothing around what is no run", async () => {
      const { surroundings } = under;
      expect(await surroundings.surroundingsOf(randomUUID())).toBeUndefined();
      expect(await surroundings.surroundingsOf("no id")).toBeUndefined();
    });

    test("a run that nobody has claimed has those before it that nobody has claimed either", async () => {
      const { runs, surroundings } = under;
      const waiting = [newRun(), newRun(), newRun()];
      for (const run of waiting) {
        await runs.insertRun(run);
      }
      const [first, second, third] = waiting.map(({ runId }) => runId);
      expect(await surroundings.surroundingsOf(third ?? "")).toMatchObject({
        runsBefore: 2,
        owner: null,
        coolDown: null,
        engine: null,
        lastMessages: [],
        workersSeen: 0,
      });
      await claimed(runs, first ?? "");
      expect(await surroundings.surroundingsOf(third ?? "")).toMatchObject({ runsBefore: 1 });
      expect(await surroundings.surroundingsOf(first ?? "")).toMatchObject({ runsBefore: 0 });
      expect(await surroundings.surroundingsOf(second ?? "")).toMatchObject({ workersSeen: 1 });
    });

    test("the owner is named, with its container's engine and what its agent said last", async () => {
      const { runs, surroundings } = under;
      const { hold, runId, workerId } = await owned(runs);
      await runs.touchWorker(workerId, "engine-1");
      const phase = "specify" as const;
      const attempt = await runs.startAttempt(hold, phase);
      const place = { engineId: "engine-1", containerId: "c1", tokenKey: "key" };
      await runs.placeAttempt(hold, { phase, attempt, place, events: [], artifacts: [] });
      const said = (text: string) =>
        ({ type: "phase.message", phase, attempt, data: { text } }) as const;
      await runs.appendEvents(hold, [said("1"), said("2"), said("3")]);
      await runs.appendEvents(hold, [{ type: "phase.warning", phase, attempt }, said("4")]);
      const around = await surroundings.surroundingsOf(runId);
      expect(around).toMatchObject({
        owner: { workerId, hostname: "host", seenAt: expect.any(Date) },
        engine: { engineId: "engine-1", seenAt: expect.any(Date) },
      });
      expect(around?.lastMessages.map(({ data }) => data.text)).toEqual(["2", "3", "4"]);
      const run = await runs.findRun(runId);
      expect(around?.now.getTime()).toBeLessThan(run?.leaseUntil?.getTime() ?? 0);
      expect(around?.now.getTime()).toBeGreaterThanOrEqual(run?.createdAt.getTime() ?? Number.NaN);
    });

    test("an engine that no worker has told of is not heard", async () => {
      const { runs, surroundings } = under;
      const { hold, runId } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "specify");
      const place = { engineId: "unknown", containerId: "c1", tokenKey: "key" };
      const placed = { phase: "specify", attempt, place, events: [], artifacts: [] } as const;
      await runs.placeAttempt(hold, placed);
      expect(await surroundings.surroundingsOf(runId)).toMatchObject({
        engine: { engineId: "unknown", seenAt: null },
      });
    });

    test("a credential that rests is told to the runs that wait for it, until its rest is over", async () => {
      const { runs, credentials, surroundings, passTime } = under;
      const { hold, runId } = await owned(runs);
      await credentials.coolDown("codex", 60_000, "quota");
      await runs.commitAttempt(hold, {
        events: [],
        wait: { dueInMs: 60_000, wakeInMs: 60_000, coolDown: { credential: "codex" } },
      });
      expect(await surroundings.surroundingsOf(runId)).toMatchObject({
        coolDown: { credential: "codex", reason: "quota", until: expect.any(Date) },
      });
      await passTime(61_000);
      expect(await surroundings.surroundingsOf(runId)).toMatchObject({ coolDown: null });
    });
  });
}
