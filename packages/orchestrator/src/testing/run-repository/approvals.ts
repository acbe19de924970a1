import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { failure } from "../../domain/failure.ts";
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

const ANSWER_WITHIN_MS = 60_000;
const OLD_SHA = "0".repeat(40);
const BUNDLE = new Uint8Array([1, 2, 3]);
const USAGE = { inputTokens: 5, cachedInputTokens: 0, outputTokens: 2, costUsd: null };

const shaOf = (attempt: number) => `${attempt}`.repeat(40);

/** A run whose specification waits for approval, in nobody's hands. */
async function proposing(runs: RunRepository, owner?: Owned): Promise<string> {
  const { runId, hold } = owner ?? (await owned(runs));
  const attempt = await runs.startAttempt(hold, "specify");
  await runs.commitAttempt(hold, {
    end: {
      phase: "specify",
      attempt,
      state: "proposed",
      changed: true,
      usage: USAGE,
      openQuestions: [{ id: "Q1", text: "How long?" }],
      proposal: { facts: { tipSha: shaOf(attempt) }, told: { file: "specs/001-x/spec.md" } },
    },
    checkpoint: BUNDLE,
    wait: {
      dueInMs: ANSWER_WITHIN_MS,
      wakeInMs: ANSWER_WITHIN_MS + 5_000,
      forInput: "approval",
    },
    events: [],
  });
  return runId;
}

type About = { readonly phase?: "specify" | "plan"; readonly attempt?: number };
const command = (runId: string) => ({ schemaVersion: 1, commandId: randomUUID(), runId }) as const;
const approve = (runId: string, about: About = {}) =>
  ({ ...command(runId), command: "approve", ...about }) as const;
const reject = (runId: string, comment: string, about: About = {}) =>
  ({ ...command(runId), command: "reject", comment, ...about }) as const;

const concluded = (runs: RunRepository, { hold }: Owned, state: "succeeded" | "failed") =>
  runs.commitAttempt(hold, {
    conclusion: {
      phase: "specify",
      attempt: 1,
      state,
      ...(state === "failed" ? { failure: failure("APPROVAL_REJECTED", "specify: rejected") } : {}),
    },
    ...(state === "succeeded" ? { phaseIx: 1, facts: { tipSha: shaOf(1) } } : {}),
    events: [],
  });

export function describeApprovals(factory: RunRepositoryFactory): void {
  describe("approvals", () => {
    const subject = perTest(factory);

    test("a run with a proposed result rests, and is where it was before it", async () => {
      const { runs } = subject;
      const runId = await proposing(runs);
      const before = { status: "needs_input", questionRound: 0, phaseIx: 0, tipSha: null };
      expect(await found(runs, runId)).toMatchObject({ ...before, leaseOwner: null });
      expect(await runs.checkpointOf(runId)).toBeUndefined();
      expect(await runs.attemptsOf(runId)).toMatchObject([
        {
          state: "proposed",
          changed: true,
          endedAt: expect.any(Date),
          proposal: {
            facts: { tipSha: shaOf(1) },
            told: { file: "specs/001-x/spec.md" },
            decision: null,
            comment: null,
          },
        },
      ]);
      const workerId = await runs.registerWorker("other");
      expect(await runs.claimRun({ runId, workerId, leaseMs: LEASE_MS })).toEqual({
        claimed: false,
        because: "it is not due",
      });
      expect(await runs.sweepRuns({ limit: 9, leaseMs: LEASE_MS })).toEqual([]);
    });

    test("an approval makes it due; concluded, its commit and bundle are the run's", async () => {
      const { runs } = subject;
      const runId = await proposing(runs);
      const about = { phase: "specify", attempt: 1 } as const;
      expect(await runs.storeCommand(approve(runId, about), "a")).toEqual({
        taken: true,
        isNew: true,
      });
      await subject.passTime(5_001);
      expect(await runs.sweepRuns({ limit: 9, leaseMs: LEASE_MS })).toHaveLength(1);
      const owner = await claimed(runs, runId);
      expect(owner.run).toMatchObject({ status: "in_progress", phaseIx: 0 });
      expect(owner.attempts).toMatchObject([{ proposal: { decision: "approved", comment: null } }]);
      const [proposed] = owner.attempts;
      await concluded(runs, owner, "succeeded");
      expect(await found(runs, runId)).toMatchObject({ phaseIx: 1, tipSha: shaOf(1) });
      expect([...((await runs.checkpointOf(runId)) ?? [])]).toEqual([...BUNDLE]);
      expect(await runs.attemptsOf(runId)).toMatchObject([
        {
          state: "succeeded",
          changed: true,
          usage: USAGE,
          openQuestions: [{ id: "Q1", text: "How long?" }],
          endedAt: proposed?.endedAt,
        },
      ]);
      const told = await runs.eventsOf(runId, { afterSeq: 0, limit: 100 });
      expect(told.find(({ type }) => type === "run.approved")?.data).toMatchObject(about);
    });

    test("a rejection makes it due with its comment; concluded, nothing of the result is the run's", async () => {
      const { runs } = subject;
      const runId = await proposing(runs);
      await runs.storeCommand(reject(runId, "Shorter,\nplease"), "a");
      const owner = await claimed(runs, runId);
      await concluded(runs, owner, "failed");
      expect(await found(runs, runId)).toMatchObject({ phaseIx: 0, tipSha: null });
      expect(await runs.checkpointOf(runId)).toBeUndefined();
      expect(await runs.attemptsOf(runId)).toMatchObject([
        {
          state: "failed",
          failure: { code: "APPROVAL_REJECTED" },
          proposal: { decision: "rejected", comment: "Shorter,\nplease" },
        },
      ]);
      const told = await runs.eventsOf(runId, { afterSeq: 0, limit: 100 });
      expect(told.find(({ type }) => type === "run.declined")?.data).toMatchObject({
        phase: "specify",
        attempt: 1,
        comment: "Shorter,\nplease",
      });
      expect(await runs.startAttempt(owner.hold, "specify")).toBe(2);
    });

    test("a rejected result leaves the checkpoint of the phase before", async () => {
      const { runs } = subject;
      const owner = await owned(runs);
      const attempt = await runs.startAttempt(owner.hold, "prepare");
      await runs.commitAttempt(owner.hold, {
        end: { phase: "prepare", attempt, state: "succeeded" },
        facts: { tipSha: OLD_SHA },
        checkpoint: new Uint8Array([9]),
        events: [],
      });
      const runId = await proposing(runs, owner);
      await runs.storeCommand(reject(runId, "No"), "a");
      await concluded(runs, await claimed(runs, runId), "failed");
      expect((await found(runs, runId)).tipSha).toBe(OLD_SHA);
      expect([...((await runs.checkpointOf(runId)) ?? [])]).toEqual([9]);
    });

    test("one decision per result: the same once more is fine, another is refused", async () => {
      const { runs } = subject;
      const runId = await proposing(runs);
      const first = reject(runId, "Shorter");
      await runs.storeCommand(first, "a");
      const before = await subject.dump();
      expect(await runs.storeCommand(first, "a")).toEqual({ taken: true, isNew: false });
      expect(await subject.dump()).toEqual(before);
      expect(await runs.storeCommand(reject(runId, "Shorter"), "b")).toEqual({
        taken: true,
        isNew: false,
      });
      const refused = { taken: false, because: "nothing waits for approval" };
      expect(await runs.storeCommand(reject(runId, "Longer"), "c")).toEqual(refused);
      expect(await runs.storeCommand(approve(runId), "d")).toEqual(refused);
    });

    test("each attempt's result is decided about by itself", async () => {
      const { runs } = subject;
      const runId = await proposing(runs);
      await runs.storeCommand(reject(runId, "Shorter"), "a");
      const owner = await claimed(runs, runId);
      await concluded(runs, owner, "failed");
      await proposing(runs, owner);
      expect(await runs.storeCommand(approve(runId, { attempt: 1 }), "b")).toEqual({
        taken: false,
        because: "another result waits for approval",
      });
      expect(await runs.storeCommand(approve(runId), "c")).toEqual({ taken: true, isNew: true });
      const rows = await runs.attemptsOf(runId);
      expect(rows.map(({ proposal }) => proposal?.decision)).toEqual(["rejected", "approved"]);
    });

    test("an answered run whose result waits for approval asks nothing", async () => {
      const { runs } = subject;
      const { runId, hold } = await owned(runs);
      const attempt = await runs.startAttempt(hold, "specify");
      await runs.commitAttempt(hold, {
        end: {
          phase: "specify",
          attempt,
          state: "failed",
          failure: failure("QUESTIONS_OPEN", "specify: 1 open question"),
          openQuestions: [{ id: "Q1", text: "How long?" }],
        },
        wait: { dueInMs: ANSWER_WITHIN_MS, wakeInMs: ANSWER_WITHIN_MS, forInput: "questions" },
        events: [],
      });
      expect(await runs.storeCommand(approve(runId), "a")).toEqual({
        taken: false,
        because: "nothing waits for approval",
      });
      const answer = (text: string) => ({
        ...command(runId),
        command: "answer" as const,
        answers: [text],
      });
      expect(await runs.storeCommand(answer("A day"), "b")).toMatchObject({ taken: true });
      await proposing(runs, await claimed(runs, runId));
      expect(await runs.storeCommand(answer("A week"), "c")).toEqual({
        taken: false,
        because: "nothing is asked",
      });
      expect((await found(runs, runId)).status).toBe("needs_input");
    });

    test("where nothing or something else waits, a decision changes nothing", async () => {
      const { runs } = subject;
      const { runId } = await owned(runs);
      const other = await proposing(runs);
      const before = await subject.dump();
      expect(await runs.storeCommand(approve(runId), "a")).toEqual({
        taken: false,
        because: "nothing waits for approval",
      });
      expect(await runs.storeCommand(reject(other, "No", { phase: "plan" }), "b")).toEqual({
        taken: false,
        because: "another result waits for approval",
      });
      const answer = { ...command(other), command: "answer" as const, answers: [null] };
      expect(await runs.storeCommand(answer, "c")).toMatchObject({ taken: false });
      expect(await subject.dump()).toEqual(before);
    });

    test("who has claimed it because its time is over is not overtaken by a late decision", async () => {
      const { runs } = subject;
      const runId = await proposing(runs);
      await subject.passTime(ANSWER_WITHIN_MS + 5_001);
      const { run, hold } = await claimed(runs, runId);
      expect(run).toMatchObject({ status: "needs_input" });
      expect(await runs.storeCommand(approve(runId), "a")).toEqual({
        taken: false,
        because: "nothing waits for approval",
      });
      const late = failure("APPROVAL_MISSING", "specify: nobody has decided");
      const outcome = await runs.commitAttempt(hold, {
        conclusion: { phase: "specify", attempt: 1, state: "failed", failure: late },
        events: [],
        outcome: {
          outcome: "failed",
          failure: late,
          closing: () => ({ neverStarted: [], events: [] }),
        },
      });
      expect(outcome).toBe("failed");
      expect(await runs.storeCommand(approve(runId), "b")).toMatchObject({
        because: "the run has ended",
      });
    });

    test("a cancel does not wait for a decision, and none is taken after it", async () => {
      const { runs } = subject;
      const runId = await proposing(runs);
      await requestCancel(runs, runId);
      expect(await runs.storeCommand(approve(runId), "a")).toEqual({
        taken: false,
        because: "nothing waits for approval",
      });
      await subject.passTime(5_001);
      expect(await runs.sweepRuns({ limit: 9, leaseMs: LEASE_MS })).toHaveLength(1);
      const { hold } = await claimed(runs, runId);
      const outcome = await runs.commitAttempt(hold, {
        conclusion: { phase: "specify", attempt: 1, state: "cancelled" },
        events: [],
        outcome: { outcome: "cancelled", closing: () => ({ neverStarted: [], events: [] }) },
      });
      expect(outcome).toBe("cancelled");
    });

    test("only a proposed attempt is concluded, once, and by its owner", async () => {
      const { runs } = subject;
      const runId = await proposing(runs);
      await runs.storeCommand(approve(runId), "a");
      const owner = await claimed(runs, runId);
      const before = await subject.dump();
      const stale = { ...owner, hold: { runId, epoch: owner.hold.epoch - 1 } };
      await expect(concluded(runs, stale, "succeeded")).rejects.toMatchObject({
        code: "RUN_FENCED",
      });
      expect(await subject.dump()).toEqual(before);
      await concluded(runs, owner, "succeeded");
      await expect(concluded(runs, owner, "succeeded")).rejects.toMatchObject({
        code: "RUN_FENCED",
      });
    });
  });
}
