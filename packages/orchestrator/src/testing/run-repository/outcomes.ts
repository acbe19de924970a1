import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { failure } from "../../domain/failure.ts";
import type { Outcome } from "../../domain/run-state.ts";
import type { AttemptCommit } from "../../ports/attempt-commit.ts";
import {
  claimed,
  ended,
  found,
  LEASE_MS,
  owned,
  perTest,
  type RunRepositoryFactory,
  requestCancel,
} from "./subject.ts";

/** Ends the run; the closing row and event tell for which outcome they were asked. */
function outcome(wanted: Outcome): Pick<AttemptCommit, "events" | "outcome"> {
  return {
    events: [],
    outcome: {
      outcome: wanted,
      ...(wanted === "failed" ? { failure: failure("PUSH_REFUSED", "no") } : {}),
      closing: (held) => ({
        neverStarted: [{ phase: "publish", state: held === "cancelled" ? "cancelled" : "skipped" }],
        events: [{ type: `run.${held}` }],
      }),
    },
  };
}

export function describeOutcomes(factory: RunRepositoryFactory): void {
  describe("commits", () => {
    const subject = perTest(factory);

    test("a phase's result becomes true at once: row, progress, facts, checkpoint, artifacts, events", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "prepare");
      const artifact = { name: "prepare-1/log", bytes: 7, sha256: "a".repeat(64) };
      const facts = {
        baseBranch: "main",
        baseSha: "1".repeat(40),
        branchOldSha: null,
        tipSha: "2".repeat(40),
        diff: { files: 1, insertions: 2, deletions: 3 },
        pushed: true,
      };
      const held = await runs.commitAttempt(hold, {
        end: { phase: "prepare", attempt, state: "succeeded", changed: true },
        phaseIx: 1,
        facts,
        checkpoint: Uint8Array.of(0, 255, 10),
        artifacts: [artifact],
        events: [{ type: "phase.succeeded", phase: "prepare", attempt, data: { a: [1, null] } }],
      });
      expect(held).toBeNull();
      expect(await found(runs, runId)).toMatchObject({
        phaseIx: 1,
        ...facts,
        outcome: null,
        leaseOwner: expect.any(Number),
      });
      expect(await runs.attemptsOf(runId)).toMatchObject([{ state: "succeeded", changed: true }]);
      expect(Array.from((await runs.checkpointOf(runId)) ?? [])).toEqual([0, 255, 10]);
      expect(await runs.artifactsOf(runId)).toEqual([artifact]);
      expect((await runs.eventsOf(runId, { afterSeq: 3, limit: 10 }))[0]).toMatchObject({
        seq: 4,
        type: "phase.succeeded",
        phase: "prepare",
        attempt: 1,
        data: { a: [1, null] },
      });
    });

    test("facts that a commit does not name stay; the phase only moves on; a checkpoint is replaced", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const first = { tipSha: "1".repeat(40), baseBranch: "main" };
      await runs.commitAttempt(hold, {
        events: [],
        phaseIx: 2,
        facts: first,
        checkpoint: Uint8Array.of(1),
      });
      const second = { tipSha: "2".repeat(40) };
      await runs.commitAttempt(hold, {
        events: [],
        phaseIx: 1,
        facts: second,
        checkpoint: new Uint8Array(),
      });
      expect(await found(runs, runId)).toMatchObject({ phaseIx: 2, ...first, ...second });
      expect(await runs.checkpointOf(runId)).toHaveLength(0);
    });

    test("a checkpoint is what it was when it was committed, whatever becomes of the bytes", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const checkpoint = Uint8Array.of(1, 2);
      await runs.commitAttempt(hold, { events: [], facts: { tipSha: "1".repeat(40) }, checkpoint });
      checkpoint[0] = 9;
      const read = await runs.checkpointOf(runId);
      expect(Array.from(read ?? [])).toEqual([1, 2]);
      read?.fill(7);
      expect(Array.from((await runs.checkpointOf(runId)) ?? [])).toEqual([1, 2]);
    });

    test("what fails half-way is stored not at all", async () => {
      const { runs } = subject;
      const { hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "prepare");
      const before = await subject.dump();
      const closing = () => {
        throw new Error("half-way");
      };
      await expect(
        runs.commitAttempt(hold, {
          end: { phase: "prepare", attempt, state: "succeeded" },
          phaseIx: 1,
          facts: { tipSha: "1".repeat(40) },
          checkpoint: Uint8Array.of(1),
          artifacts: [{ name: "a", bytes: 1, sha256: "a".repeat(64) }],
          events: [{ type: "phase.succeeded" }],
          outcome: { outcome: "succeeded", closing },
        }),
      ).rejects.toThrow("half-way");
      expect(await subject.dump()).toEqual(before);
    });

    test("an artifact of the same name replaces the one before, also within one commit", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const artifact = (bytes: number) => ({ name: "result.json", bytes, sha256: "a".repeat(64) });
      await runs.addArtifacts(hold, [artifact(1)]);
      await runs.addArtifacts(hold, []);
      await runs.commitAttempt(hold, { events: [], artifacts: [artifact(2), artifact(3)] });
      expect(await runs.artifactsOf(runId)).toEqual([artifact(3)]);
    });

    test("a wait gives the lease back, and is looked at when its message must have been lost", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      await runs.commitAttempt(hold, { events: [], wait: { dueInMs: 4_000, wakeInMs: 20_000 } });
      expect(await found(runs, runId)).toMatchObject({ leaseOwner: null, hasLiveLease: false });
      const look = { limit: 10, leaseMs: LEASE_MS, only: runId };
      await subject.passTime(18_000);
      expect(await runs.sweepRuns(look)).toEqual([]);
      await subject.passTime(2_001);
      expect(await runs.sweepRuns(look)).toHaveLength(1);
    });
  });

  describe("outcomes", () => {
    const subject = perTest(factory);

    test.each(["succeeded", "no_changes", "failed", "cancelled"] as const)(
      "a run ends as %s, with its closing rows and events",
      async (wanted) => {
        const { runs } = subject;
        const { runId, hold } = await owned(runs);
        expect(await runs.commitAttempt(hold, outcome(wanted))).toBe(wanted);
        const run = await found(runs, runId);
        expect(run).toMatchObject({
          status: wanted,
          outcome: wanted,
          finishedAt: expect.any(Date),
        });
        expect(run.failure?.code).toBe(wanted === "failed" ? "PUSH_REFUSED" : undefined);
        expect(run.artifactsExpireAt?.getTime()).toBeGreaterThan(
          run.finishedAt?.getTime() ?? Number.NaN,
        );
        const state = wanted === "cancelled" ? "cancelled" : "skipped";
        expect(await runs.attemptsOf(runId)).toMatchObject([
          { phase: "publish", attempt: 0, state, startedAt: null, durationMs: null },
        ]);
        const events = await runs.eventsOf(runId, { afterSeq: 2, limit: 10 });
        expect(events).toMatchObject([
          { type: `phase.${state}`, phase: "publish", attempt: 0 },
          { type: `run.${wanted}` },
        ]);
      },
    );

    test.each(["succeeded", "no_changes", "failed"] as const)(
      "a cancel that came before the commit wins over %s",
      async (wanted) => {
        const { runs } = subject;
        const { runId, hold } = await owned(runs);
        await requestCancel(runs, runId, randomUUID());
        expect(await runs.commitAttempt(hold, outcome(wanted))).toBe("cancelled");
        expect(await found(runs, runId)).toMatchObject({ outcome: "cancelled", failure: null });
        const events = await runs.eventsOf(runId, { afterSeq: 2, limit: 10 });
        expect(events.map((event) => event.type)).toEqual([
          "run.cancel_requested",
          "phase.cancelled",
          "run.cancelled",
        ]);
      },
    );

    test("a cancel and an outcome at once agree on who was first", async () => {
      const { runs } = subject;
      for (let tries = 0; tries < 10; tries += 1) {
        const { runId, hold } = await owned(runs);
        const [isTaken, held] = await Promise.all([
          requestCancel(runs, runId, randomUUID()),
          runs.commitAttempt(hold, outcome("succeeded")),
        ]);
        expect({ isTaken, held }).toEqual({ isTaken, held: isTaken ? "cancelled" : "succeeded" });
        expect((await found(runs, runId)).outcome).toBe(held);
      }
    });

    test("a run is told as closed when its cleanup is over for so long, and not before", async () => {
      const { runs } = subject;
      const live = await owned(runs);
      const { runId, hold, run } = await ended(runs);
      const attempt = await runs.startAttempt(hold, "cleanup");
      const closed = () => runs.closedRuns([runId, live.runId, randomUUID(), "no id"], 120_000);
      await runs.markEventsSent(runId, (await found(runs, runId)).lastSeq);
      await subject.passTime(120_001);
      expect(await closed()).toEqual([]);
      expect(await runs.finishCleanup(hold, attempt)).toBe(true);
      expect(await closed()).toEqual([]);
      await subject.passTime(120_001);
      expect(await closed()).toEqual([{ runId, gitRemote: run.gitRemote }]);
      expect(await runs.closedRuns([], 0)).toEqual([]);
    });

    test("never changes", async () => {
      const { runs } = subject;
      const { runId, hold } = await ended(runs);
      await subject.passTime(LEASE_MS + 1);
      const next = await claimed(runs, runId);
      const before = await subject.dump();
      for (const each of [hold, next.hold]) {
        await expect(runs.commitAttempt(each, outcome("succeeded"))).rejects.toMatchObject({
          code: "RUN_FENCED",
        });
      }
      expect(await subject.dump()).toEqual(before);
    });
  });
}
