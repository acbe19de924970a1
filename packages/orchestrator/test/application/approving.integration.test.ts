import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import { eventually, git } from "@speckit/testkit";
import { expect, test } from "vitest";
import {
  eventsOf,
  named,
  type OpenWorkshop,
  phaseOf,
  requestFor,
  untilClosed,
  workshop,
} from "./workshop.ts";

const here = await workshop();
const WORK = { slots: 1, hostname: "here" };
const WATCHED = { pauseAfter: ["specify"] };

const decide = (open: OpenWorkshop, runId: string, what: object) =>
  open.orchestrator.command({ schemaVersion: 1, commandId: randomUUID(), runId, ...what });

const untilItWaits = (open: OpenWorkshop, runId: string, phase: string, attempt: number) =>
  eventually(
    `${phase} ${attempt} waits for approval`,
    async () => (await open.orchestrator.result(runId)).approval,
    (seen) => seen?.phase === phase && seen.attempt === attempt,
    { withinMs: 30_000 },
  );

test("a run pauses after the phase, frees its slot, and goes on with what is approved", async () => {
  const remote = await here.remote({ specify: { askQuestion: "Which provider?" } });
  await using open = here.open("approved");
  await using worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, WATCHED));
  await untilItWaits(open, run.runId, "specify", 1);
  await eventually("the slot is free", () => worker.inHand() === 0);
  const waiting = await open.orchestrator.result(run.runId);
  expect(waiting).toMatchObject({
    status: "needs_input",
    waitingFor: "approval",
    approval: {
      file: `${waiting.featureDirectory}/spec.md`,
      artifact: "specify-1/spec.md",
    },
    answerBy: expect.any(String),
    openQuestions: [{ text: "Which provider?" }],
    summary: { title: expect.any(String), openQuestions: 1 },
    assumptions: expect.arrayContaining([
      "Not answered, the agent has decided: Which provider?",
      "Nothing that works today stops working.",
    ]),
  });
  expect(waiting.headSha).toBe(waiting.baseSha);
  expect(waiting.questionRound).toBeUndefined();
  expect(phaseOf(waiting, "specify")).toMatchObject({ status: "proposed", attempt: 1 });
  const kept = open.orchestrator.artifact(run.runId, "specify-1/spec.md");
  expect(await text(kept)).toContain("# Feature Specification: ");

  await decide(open, run.runId, { command: "approve" });
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({
    status: "succeeded",
    pushed: true,
    summary: { title: waiting.summary?.title, tasks: expect.anything() },
    assumptions: waiting.assumptions,
  });
  expect(phaseOf(result, "specify")).toMatchObject({
    status: "succeeded",
    attempt: 1,
    durationMs: phaseOf(waiting, "specify")?.durationMs,
  });
  expect(await remote.starts()).toEqual(["specify 1", "plan 1", "tasks 1"]);
  const events = await eventsOf(open.orchestrator, run.runId);
  expect(named(events)).toEqual(
    expect.arrayContaining([
      "phase.proposed specify 1",
      "run.needs_input specify 1",
      "run.approved",
      "phase.succeeded specify 1",
    ]),
  );
  expect(events.find(({ type }) => type === "run.needs_input")?.data).toMatchObject({
    kind: "approval",
    file: `${result.featureDirectory}/spec.md`,
  });
});

test("what is rejected is undone: the phase starts again with the comment, which later attempts keep", async () => {
  const remote = await here.remote({
    specify: { onlyAttempts: [1], omit: ["checklists/requirements.md"] },
  });
  await using open = here.open("rejected");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, WATCHED));
  const comments = ["Leave the second story out.\nIt is not wanted.", "Name the provider"];
  for (const [ix, comment] of comments.entries()) {
    await untilItWaits(open, run.runId, "specify", ix + 2);
    await decide(open, run.runId, { command: "reject", comment, phase: "specify" });
  }
  await untilItWaits(open, run.runId, "specify", 4);
  const waiting = await open.orchestrator.result(run.runId);
  expect(waiting.headSha).toBe(waiting.baseSha);
  const promptOf = (attempt: number) =>
    text(open.orchestrator.artifact(run.runId, `specify-${attempt}/prompt.md`));
  expect(await promptOf(2)).toContain("### What to repair");
  const prompt = await promptOf(4);
  // What the second attempt has repaired is no finding of those behind it.
  expect(prompt).not.toContain("### What to repair");
  expect(prompt).toContain("> Leave the second story out.\n> It is not wanted.");
  expect(prompt).toContain("> Name the provider");
  await decide(open, run.runId, { command: "approve", attempt: 4 });

  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "succeeded" });
  expect(await remote.starts()).toEqual([
    "specify 1",
    "specify 2",
    "specify 3",
    "specify 4",
    "plan 1",
    "tasks 1",
  ]);
  const commits = await git(remote.path, "log", "--format=%s", `main..${result.branch}`);
  expect(commits.split("\n").map((line) => line.split(" ")[1])).toEqual([
    "tasks",
    "plan",
    "specify",
  ]);
  const told = (await eventsOf(open.orchestrator, run.runId)).filter(
    ({ type }) => type === "phase.failed" || type === "run.declined",
  );
  expect(told.map(({ data }) => data)).toMatchObject([
    { failure: { code: "POSTCONDITION_FAILED" } },
    { comment: comments[0], attempt: 2 },
    { failure: { code: "APPROVAL_REJECTED", class: "needs_input" } },
    { comment: comments[1], attempt: 3 },
    { failure: { code: "APPROVAL_REJECTED" } },
  ]);
});

test("each phase that is asked for waits by itself, and one behind another keeps its commits", async () => {
  const remote = await here.remote();
  await using open = here.open("each");
  await using _worker = await open.orchestrator.work(WORK);
  const request = requestFor(remote.path, { pauseAfter: ["tasks", "plan"] });
  const { run } = await open.orchestrator.submit(request);
  await untilItWaits(open, run.runId, "plan", 1);
  const before = await open.orchestrator.result(run.runId);
  expect(phaseOf(before, "specify")).toMatchObject({ status: "succeeded" });
  await decide(open, run.runId, { command: "reject", comment: "Smaller" });
  await untilItWaits(open, run.runId, "plan", 2);
  expect((await open.orchestrator.result(run.runId)).headSha).toBe(before.headSha);
  await decide(open, run.runId, { command: "approve" });
  await untilItWaits(open, run.runId, "tasks", 1);
  await decide(open, run.runId, { command: "approve" });
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "succeeded" });
  expect(await git(remote.path, "rev-list", "--count", `main..${result.branch}`)).toBe("3");
});

test("questions come before approval, and an answered specification is approved like any other", async () => {
  const remote = await here.remote({
    specify: {
      onlyAttempts: [1],
      askQuestions: [{ text: "Which provider?", answers: ["Google alone", "Any"] }],
    },
  });
  await using open = here.open("both");
  await using _worker = await open.orchestrator.work(WORK);
  const request = requestFor(remote.path, { ...WATCHED, onQuestions: "pause" });
  const { run } = await open.orchestrator.submit(request);
  await eventually(
    "it asks",
    async () => (await open.orchestrator.result(run.runId)).questionRound,
    (round) => round === 1,
    { withinMs: 30_000 },
  );
  await expect(decide(open, run.runId, { command: "approve" })).rejects.toMatchObject({
    code: "DECISION_REFUSED",
  });
  await decide(open, run.runId, { command: "answer", answers: ["b"] });
  await untilItWaits(open, run.runId, "specify", 2);
  await expect(
    decide(open, run.runId, { command: "answer", answers: ["again"] }),
  ).rejects.toMatchObject({ code: "ANSWER_REFUSED" });
  await decide(open, run.runId, { command: "approve" });
  const result = await untilClosed(open.orchestrator, run.runId);
  const spec = `${result.branch}:${result.featureDirectory}/spec.md`;
  expect(await git(remote.path, "show", spec)).toContain("- Which provider?\n  > Any");
});

test("without a decision in time it fails, says what to do, and keeps nothing of the result", async () => {
  const remote = await here.remote();
  await using open = here.open("undecided", { settings: { answerWithinMs: 1_000 } });
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, WATCHED));
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({
    status: "failed",
    pushed: false,
    failure: { code: "APPROVAL_MISSING", remedy: expect.any(String) },
  });
  expect(result.headSha).toBe(result.baseSha);
  expect(phaseOf(result, "specify")).toMatchObject({ status: "failed", attempt: 1 });
  expect(phaseOf(result, "plan")).toMatchObject({ status: "skipped" });
  await expect(decide(open, run.runId, { command: "approve" })).rejects.toMatchObject({
    code: "RUN_ENDED",
  });

  // A retry goes on from the last good phase, and asks again.
  await using again = here.open("decided-at-last");
  await using _worker2 = await again.orchestrator.work(WORK);
  const retried = await decide(again, run.runId, { command: "retry" });
  const runId = retried.newRunId ?? "";
  await untilItWaits(again, runId, "specify", 1);
  await decide(again, runId, { command: "approve" });
  expect(await untilClosed(again.orchestrator, runId)).toMatchObject({ status: "succeeded" });
});

test("a cancel does not wait for a decision", async () => {
  const remote = await here.remote();
  await using open = here.open("cancelled-waiting");
  await using _worker = await open.orchestrator.work(WORK);
  const { run } = await open.orchestrator.submit(requestFor(remote.path, WATCHED));
  await untilItWaits(open, run.runId, "specify", 1);
  expect(await open.orchestrator.cancel(run.runId)).toBe(true);
  await expect(decide(open, run.runId, { command: "approve" })).rejects.toMatchObject({
    code: expect.stringMatching(/DECISION_REFUSED|RUN_ENDED/),
  });
  const result = await untilClosed(open.orchestrator, run.runId);
  expect(result).toMatchObject({ status: "cancelled" });
  expect(phaseOf(result, "specify")).toMatchObject({ status: "cancelled", attempt: 1 });
});
