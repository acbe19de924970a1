import { randomUUID } from "node:crypto";
import { eventually, git } from "@speckit/testkit";
import { expect, test } from "vitest";
import {
  eventsOf,
  named,
  type OpenWorkshop,
  phaseOf,
  requestFor,
  untilClosed,
  untilEvent,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 1, hostname: "here" };
const PAUSE = { onQuestions: "pause" };

const answer = (open: OpenWorkshop, runId: string, answers: readonly (string | null)[]) =>
  open.orchestrator.command({
    schemaVersion: 1,
    commandId: randomUUID(),
    runId,
    command: "answer",
    answers,
  });

const untilItAsks = (open: OpenWorkshop, runId: string, round: number) =>
  eventually(
    `round ${round} of questions`,
    async () => (await open.orchestrator.result(runId)).questionRound,
    (seen) => seen === round,
    { withinMs: 30_000 },
  );

test("a run that asks frees its slot, and goes on with the answer in its specification", async () => {
  const remote = await here.remote({
    specify: { onlyAttempts: [1], askQuestion: "Which provider?" },
  });
  await using open = here.open("answered");
  await using worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, PAUSE));
  await untilItAsks(open, run.runId, 1);
  await eventually("the slot is free", () => worker.inHand() === 0);
  expect(await open.orchestrator.result(run.runId)).toMatchObject({
    status: "needs_input",
    waitingFor: "input",
    openQuestions: [{ id: "Q1", text: "Which provider?" }],
    answerBy: expect.any(String),
    assumptions: [],
  });

  await answer(open, run.runId, ["Only Google,\nfor now"]);
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "succeeded", pushed: true, openQuestions: [] });
  expect(result.assumptions).toEqual(result.summary?.assumptions);
  expect(phaseOf(result, "specify")).toMatchObject({ status: "succeeded", attempt: 2 });
  expect(await remote.starts()).toEqual(["specify 1", "specify 2", "plan 1", "tasks 1"]);
  const spec = `${result.branch}:${result.featureDirectory}/spec.md`;
  const text = await git(remote.path, "show", spec);
  expect(text).toContain("- Which provider?\n  > Only Google,\n  > for now");
  expect(named(await eventsOf(open.orchestrator, run.runId))).toEqual(
    expect.arrayContaining(["phase.failed specify 1", "run.needs_input specify", "run.answered"]),
  );
});

test("without an answer in time it fails, and says what to do", async () => {
  const remote = await here.remote({ specify: { askQuestion: "Which provider?" } });
  await using open = here.open("expired", { settings: { answerWithinMs: 1_000 } });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, PAUSE));
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({
    status: "failed",
    failure: { code: "QUESTIONS_UNANSWERED", remedy: expect.any(String) },
    openQuestions: [{ id: "Q1", text: "Which provider?" }],
  });
  expect(await remote.starts()).toEqual(["specify 1"]);
  await expect(answer(open, run.runId, ["late"])).rejects.toMatchObject({ code: "RUN_ENDED" });
});

test("after three rounds it goes on with the agent's assumptions, and records what is open", async () => {
  const remote = await here.remote({ specify: { askQuestion: "Which provider?" } });
  await using open = here.open("rounds");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, PAUSE));
  for (const round of [1, 2, 3]) {
    await untilItAsks(open, run.runId, round);
    await answer(open, run.runId, [null]);
  }
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({
    status: "succeeded",
    openQuestions: [{ id: "Q1", text: "Which provider?" }],
  });
  expect(phaseOf(result, "specify")).toMatchObject({ attempt: 4 });
});

test("a cancel does not wait for an answer", async () => {
  const remote = await here.remote({ specify: { askQuestion: "Which provider?" } });
  await using open = here.open("cancelled-asking");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, PAUSE));
  await untilItAsks(open, run.runId, 1);
  expect(await open.orchestrator.cancel(run.runId)).toBe(true);
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({ status: "cancelled" });
});

test("an answer to nothing, or to more than was asked, is refused and changes nothing", async () => {
  const remote = await here.remote({ specify: { askQuestion: "Which provider?" } });
  await using open = here.open("refused");
  const { run } = await open.orchestrator.submit(requestFor(remote.path, PAUSE));
  await expect(answer(open, run.runId, ["x"])).rejects.toMatchObject({ code: "ANSWER_REFUSED" });
  await expect(answer(open, randomUUID(), ["x"])).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  await using _worker = await open.orchestrator.work(WORK);
  await untilItAsks(open, run.runId, 1);
  await expect(answer(open, run.runId, ["x", "y"])).rejects.toMatchObject({
    code: "ANSWER_REFUSED",
  });
  await open.orchestrator.cancel(run.runId);
  await untilClosed(open.orchestrator, run.runId);
});

test("resume makes a run look again that waits for its next try", async () => {
  const remote = await here.remote({ plan: { onlyAttempts: [1], exitCode: 1 } });
  await using open = here.open("resumed");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path));
  await untilEvent(open.orchestrator, run.runId, "run.waiting plan");
  await here.sql(
    `UPDATE spec_workflow_runs SET due_at = due_at + interval '1 hour', wake_at = wake_at + interval '1 hour'
     WHERE id = $1`,
    [run.runId],
  );
  const command = {
    schemaVersion: 1,
    commandId: randomUUID(),
    runId: run.runId,
    command: "resume",
  };
  expect(await open.orchestrator.command(command)).toEqual({ isNew: true });
  expect(await open.orchestrator.command(command)).toEqual({ isNew: false });
  expect(await untilClosed(open.orchestrator, run.runId)).toMatchObject({ status: "succeeded" });
  expect(await remote.starts()).toEqual(["specify 1", "plan 1", "plan 2", "tasks 1"]);
});
