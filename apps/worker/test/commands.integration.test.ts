import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { commandResultSchema, runResultSchema } from "@speckit/orchestrator/contract";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkRuns,
  eventually,
  git,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const database = await testDatabase();
const broker = testBroker();

let folder: TempFolder;
let worker: WorkerProcess;
let client: PlainClient;

beforeAll(async () => {
  folder = await tempFolder("commands");
  worker = await startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
    env: { SPECKIT_AGENT: "scripted", SPECKIT_SLOTS: "4" },
  });
  client = await plainClient(broker.url, broker.prefix);
});

afterAll(async () => {
  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
  await client[Symbol.asyncDispose]();
  expect(await checkRuns(database.url)).toEqual([]);
  await folder[Symbol.asyncDispose]();
});

async function request(script: object, more: object = {}) {
  const runId = randomUUID();
  const remote = await makeSampleRemote(join(folder.path, runId), {
    ".scripted-agent.json": JSON.stringify(script),
  });
  const body = {
    schemaVersion: 1,
    runId,
    repository: `file://${remote}`,
    specifyText: "Add a page",
  };
  await client.publish({ ...body, ...more }, runId);
  return runId;
}

const answerTo = (correlationId: string) =>
  eventually(
    "an answer",
    () => client.answers.find((one) => one.correlationId === correlationId)?.body,
    Boolean,
    { withinMs: 40_000 },
  );

/** Sends a command and gives back what became of it. */
async function command(runId: string, what: object, commandId: string = randomUUID()) {
  const correlationId = randomUUID();
  await client.publishCommand({ schemaVersion: 1, commandId, runId, ...what }, correlationId);
  return commandResultSchema.parse(await answerTo(correlationId));
}

const heard = (runId: string, key: string) =>
  eventually(
    `${key} of ${runId}`,
    () =>
      client.events.find(({ routingKey, body }) => routingKey === key && body.data.runId === runId),
    Boolean,
    { withinMs: 40_000 },
  );

const resultOf = async (runId: string) => runResultSchema.parse(await answerTo(runId));

test("answer: the run goes on with what was answered", async () => {
  const script = { specify: { onlyAttempts: [1], askQuestion: "Which provider?" } };
  const runId = await request(script, { onQuestions: "pause" });
  const asked = await heard(runId, "run.needs_input");
  expect(asked?.body.data).toMatchObject({
    round: 1,
    questions: [{ id: "Q1", text: "Which provider?" }],
  });
  expect(await command(runId, { command: "answer", answers: ["Google"], round: 1 })).toMatchObject({
    status: "accepted",
    runId,
  });
  expect(await resultOf(runId)).toMatchObject({ status: "succeeded", openQuestions: [] });
});

test("answer: each question by itself: an option's key, a text, or nothing", async () => {
  const questions = [
    { text: "Which provider?", answers: ["Google alone", "Any"] },
    { text: "How long may a session last?" },
    { text: "Which colour?" },
  ];
  const script = { specify: { onlyAttempts: [1], askQuestions: questions } };
  const runId = await request(script, { onQuestions: "pause" });
  const asked = await heard(runId, "run.needs_input");
  expect(asked?.body.data).toMatchObject({
    kind: "questions",
    round: 1,
    questions: [
      {
        id: "Q1",
        text: "Which provider?",
        options: [
          { key: "A", text: "Google alone" },
          { key: "B", text: "Any" },
        ],
      },
      { id: "Q2", text: "How long may a session last?" },
      { id: "Q3", text: "Which colour?" },
    ],
  });
  await command(runId, { command: "answer", answers: ["A", "A day", null] });
  const result = await resultOf(runId);
  expect(result).toMatchObject({ status: "succeeded", openQuestions: [] });
  const spec = await git(
    join(folder.path, runId, "remote.git"),
    "show",
    `${result.branch}:${result.featureDirectory}/spec.md`,
  );
  expect(spec).toContain("- Which provider?\n  > Google alone\n");
  expect(spec).toContain("- How long may a session last?\n  > A day\n");
  expect(spec).toMatch(/- Which colour\?\n {2}> \(not answered/);
});

test("assume: the same questions stop nothing, and the result tells what was assumed", async () => {
  const questions = [
    { text: "Which provider?", answers: ["Google", "Any"] },
    { text: "How long?" },
  ];
  const runId = await request({ specify: { askQuestions: questions } }, { onQuestions: "assume" });
  expect(await resultOf(runId)).toMatchObject({
    status: "succeeded",
    openQuestions: [{ id: "Q1", options: [{ key: "A" }, { key: "B" }] }, { id: "Q2" }],
    assumptions: expect.arrayContaining([
      "Not answered, the agent has decided: Which provider?",
      "Not answered, the agent has decided: How long?",
    ]),
  });
});

test("approve and reject: the phase starts again with the comment, then the run goes on", async () => {
  const runId = await request({}, { pauseAfter: ["specify"] });
  const asked = await heard(runId, "run.needs_input");
  expect(asked?.body.data).toMatchObject({
    kind: "approval",
    phase: "specify",
    attempt: 1,
    file: expect.stringMatching(/spec\.md$/),
    artifact: "specify-1/spec.md",
  });
  const first = { phase: "specify", attempt: 1 };
  const rejection = { command: "reject", comment: "Shorter", ...first };
  const commandId = randomUUID();
  const replies = await Promise.all(
    Array.from({ length: 5 }, () => command(runId, rejection, commandId)),
  );
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set(["accepted"]));
  await eventually(
    "the second result waits",
    () =>
      client.events.some(
        ({ routingKey, body }) =>
          routingKey === "run.needs_input" && body.data.runId === runId && body.data.attempt === 2,
      ),
    Boolean,
    { withinMs: 30_000 },
  );
  expect(await command(runId, { command: "approve", ...first })).toMatchObject({
    status: "refused",
    failure: { code: "DECISION_REFUSED" },
  });
  expect(await command(runId, { command: "approve" })).toMatchObject({ status: "accepted" });
  expect(await resultOf(runId)).toMatchObject({ status: "succeeded" });
  const told = client.events.filter(({ body }) => body.data.runId === runId);
  expect(told.filter(({ routingKey }) => routingKey === "run.declined")).toHaveLength(1);
});

test("cancel: sent ten times at once it is one command, and the run's agent is ended", async () => {
  const runId = await request({ specify: { sleepMs: 60_000 } });
  await heard(runId, "phase.started");
  await heard(runId, "phase.message");
  const commandId = randomUUID();
  const replies = await Promise.all(
    Array.from({ length: 10 }, () => command(runId, { command: "cancel" }, commandId)),
  );
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set(["accepted"]));
  expect(await resultOf(runId)).toMatchObject({ status: "cancelled" });
  const told = client.events.filter(
    ({ routingKey, body }) => routingKey === "run.cancel_requested" && body.data.runId === runId,
  );
  expect(told).toHaveLength(1);
});

test("retry: a new run goes on where a cancelled one was, under the command's id", async () => {
  const runId = await request({ plan: { onlyAttempts: [1], sleepMs: 60_000 } });
  await eventually("plan runs", () =>
    client.events.some(
      ({ routingKey, body }) =>
        routingKey === "phase.message" && body.data.runId === runId && body.data.phase === "plan",
    ),
  );
  expect(await command(runId, { command: "retry" })).toMatchObject({
    status: "refused",
    failure: { code: "RUN_NOT_RETRYABLE" },
  });
  await command(runId, { command: "cancel" });
  await resultOf(runId);
  const newRunId = randomUUID();
  expect(await command(runId, { command: "retry" }, newRunId)).toMatchObject({
    status: "accepted",
    newRunId,
  });
  const started = await heard(newRunId, "run.accepted");
  expect(started?.body.data).toMatchObject({ retryOf: runId, phaseIx: 2 });
  await command(newRunId, { command: "cancel" });
  await heard(newRunId, "run.cancelled");
});

test("a command that no run can take is refused, answered and not kept; what is no command is kept", async () => {
  expect(await command(randomUUID(), { command: "cancel" })).toMatchObject({
    status: "refused",
    failure: { code: "RUN_NOT_FOUND" },
  });
  expect(await client.dead()).toEqual([]);
  const bad: readonly (readonly [string, Buffer | object])[] = [
    ["not JSON", Buffer.from("{")],
    [
      "an unknown command",
      { schemaVersion: 1, commandId: randomUUID(), runId: randomUUID(), command: "stop" },
    ],
    ["no run", { schemaVersion: 1, commandId: randomUUID(), command: "cancel" }],
    [
      "an unknown field",
      {
        schemaVersion: 1,
        commandId: randomUUID(),
        runId: randomUUID(),
        command: "cancel",
        now: true,
      },
    ],
    [
      "a rejection without a comment",
      { schemaVersion: 1, commandId: randomUUID(), runId: randomUUID(), command: "reject" },
    ],
    [
      "an empty answer",
      {
        schemaVersion: 1,
        commandId: randomUUID(),
        runId: randomUUID(),
        command: "answer",
        answers: [" "],
      },
    ],
  ];
  for (const [name, body] of bad) {
    await client.publishCommand(body, name);
    expect(await answerTo(name)).toMatchObject({ status: "rejected" });
  }
  const dead = await client.dead();
  expect(dead.map((one) => one.headers["speckit-code"])).toEqual([
    "REQUEST_NOT_JSON",
    ...Array.from({ length: 5 }, () => "REQUEST_INVALID"),
  ]);
});
