import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { failure } from "../../domain/failure.ts";
import type { RunRepository } from "../../ports/run-repository.ts";
import {
  claimed,
  found,
  LEASE_MS,
  owned,
  perTest,
  type RunRepositoryFactory,
  requestCancel,
} from "./subject.ts";

const ANSWER_WITHIN_MS = 60_000;

/** A run that has asked two questions, in nobody's hands. */
async function asking(runs: RunRepository, owner?: Awaited<ReturnType<typeof owned>>) {
  const { runId, hold } = owner ?? (await owned(runs));
  const attempt = await runs.startAttempt(hold, "specify");
  await runs.commitAttempt(hold, {
    end: {
      phase: "specify",
      attempt,
      state: "failed",
      failure: failure("QUESTIONS_OPEN", "specify: 2 open questions"),
      openQuestions: [
        { id: "Q1", text: "Which provider?" },
        { id: "Q2", text: "How long?" },
      ],
    },
    wait: {
      dueInMs: ANSWER_WITHIN_MS,
      wakeInMs: ANSWER_WITHIN_MS + 5_000,
      forInput: "questions",
    },
    events: [],
  });
  return runId;
}

const answer = (runId: string, answers: (string | null)[], round?: number) =>
  ({
    schemaVersion: 1,
    commandId: randomUUID(),
    runId,
    command: "answer",
    answers,
    ...(round === undefined ? {} : { round }),
  }) as const;

export function describeQuestions(factory: RunRepositoryFactory): void {
  describe("questions", () => {
    const subject = perTest(factory);

    test("a run that has asked rests: nobody may claim it, the sweeper lets it be", async () => {
      const { runs } = subject;
      const runId = await asking(runs);
      expect(await found(runs, runId)).toMatchObject({
        status: "needs_input",
        questionRound: 1,
        leaseOwner: null,
      });
      const workerId = await runs.registerWorker("other");
      await subject.passTime(ANSWER_WITHIN_MS - 5_000);
      expect(await runs.claimRun({ runId, workerId, leaseMs: LEASE_MS })).toEqual({
        claimed: false,
        because: "it is not due",
      });
      expect(await runs.sweepRuns({ limit: 9, leaseMs: LEASE_MS })).toEqual([]);
    });

    test("an answer makes it due; its next owner finds the answers", async () => {
      const { runs } = subject;
      const runId = await asking(runs);
      const verdict = await runs.storeCommand(answer(runId, ["Google", null]), "a");
      expect(verdict).toEqual({ taken: true, isNew: true });
      const { run } = await claimed(runs, runId);
      expect(run).toMatchObject({ status: "in_progress", questionRound: 1 });
      expect(await runs.answersOf(runId)).toEqual([{ round: 1, answers: ["Google", null] }]);
      const told = (await runs.eventsOf(runId, { afterSeq: 0, limit: 100 })).find(
        ({ type }) => type === "run.answered",
      );
      expect(told?.data).toMatchObject({ round: 1 });
    });

    test("a lost wake-up after an answer costs 5 s", async () => {
      const { runs } = subject;
      const runId = await asking(runs);
      await runs.storeCommand(answer(runId, ["Google"]), "a");
      await subject.passTime(5_001);
      expect(await runs.sweepRuns({ limit: 9, leaseMs: LEASE_MS })).toEqual([
        { runId, everClaimed: true },
      ]);
    });

    test("one answer per round: the same once more is fine, another is refused", async () => {
      const { runs } = subject;
      const runId = await asking(runs);
      await runs.storeCommand(answer(runId, ["Google"]), "a");
      const again = await runs.storeCommand(answer(runId, ["Google"], 1), "b");
      expect(again).toEqual({ taken: true, isNew: false });
      expect(await runs.storeCommand(answer(runId, ["GitHub"], 1), "c")).toEqual({
        taken: false,
        because: "nothing is asked",
      });
      expect(await runs.answersOf(runId)).toEqual([{ round: 1, answers: ["Google"] }]);
    });

    test("answers to another round, or more than there are questions, change nothing", async () => {
      const { runs } = subject;
      const runId = await asking(runs);
      const before = await subject.dump();
      expect(await runs.storeCommand(answer(runId, ["Google"], 2), "a")).toEqual({
        taken: false,
        because: "another round is asked",
      });
      expect(await runs.storeCommand(answer(runId, ["a", "b", "c"]), "b")).toEqual({
        taken: false,
        because: "more answers than questions",
      });
      expect(await subject.dump()).toEqual(before);
    });

    test("each round has its own answers", async () => {
      const { runs } = subject;
      const runId = await asking(runs);
      await runs.storeCommand(answer(runId, ["Google"]), "a");
      await asking(runs, await claimed(runs, runId));
      expect((await found(runs, runId)).questionRound).toBe(2);
      await runs.storeCommand(answer(runId, [null, "A day"]), "b");
      expect(await runs.answersOf(runId)).toEqual([
        { round: 1, answers: ["Google"] },
        { round: 2, answers: [null, "A day"] },
      ]);
    });

    test("when nobody has answered in time it may be claimed, and still says that it asks", async () => {
      const { runs } = subject;
      const runId = await asking(runs);
      await subject.passTime(ANSWER_WITHIN_MS + 5_001);
      expect(await runs.sweepRuns({ limit: 9, leaseMs: LEASE_MS })).toHaveLength(1);
      const { run, hold } = await claimed(runs, runId);
      expect(run).toMatchObject({ status: "needs_input" });
      const outcome = await runs.commitAttempt(hold, {
        events: [],
        outcome: { outcome: "failed", closing: () => ({ neverStarted: [], events: [] }) },
      });
      expect(outcome).toBe("failed");
      expect((await found(runs, runId)).status).toBe("failed");
      expect(await runs.storeCommand(answer(runId, ["late"]), "a")).toMatchObject({
        taken: false,
        because: "the run has ended",
      });
    });

    test("a cancel does not wait for an answer", async () => {
      const { runs } = subject;
      const runId = await asking(runs);
      await requestCancel(runs, runId);
      await subject.passTime(5_001);
      expect(await runs.sweepRuns({ limit: 9, leaseMs: LEASE_MS })).toHaveLength(1);
      const late = await runs.storeCommand(answer(runId, ["Google"]), "a");
      expect(late).toEqual({ taken: false, because: "nothing is asked" });
      expect((await claimed(runs, runId)).run.cancelRequested).toBe(true);
    });
  });
}
