import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { runResultSchema } from "@speckit/orchestrator/contract";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkEverything,
  eventually,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { startWorkerProcess } from "./worker-process.ts";

const database = await testDatabase();
const broker = testBroker();

let folder: TempFolder;
let client: PlainClient;

beforeAll(async () => {
  folder = await tempFolder("waiting");
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const startWorker = (name: string) =>
  startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, name),
    env: { SPECKIT_AGENT: "scripted" },
  });

test("nothing of a run that waits for people depends on a worker: each that carried it is killed", async () => {
  const startsPath = join(folder.path, "starts");
  const questions = [
    { text: "Which provider?", answers: ["Google", "Any"] },
    { text: "How long?" },
  ];
  const remote = await makeSampleRemote(folder.path, {
    ".scripted-agent.json": JSON.stringify({
      specify: [
        { onlyAttempts: [1], appendTo: startsPath, askQuestions: questions },
        { appendTo: startsPath },
      ],
      plan: { appendTo: startsPath },
      tasks: { appendTo: startsPath },
    }),
  });
  const runId = randomUUID();
  const send = (command: object) =>
    client.publishCommand({ schemaVersion: 1, commandId: randomUUID(), runId, ...command });
  /** The n-th time that the run says what it waits for; then its worker is killed. */
  const killedWhileItWaits = async (name: string, times: number, before: () => Promise<void>) => {
    await using worker = await startWorker(name);
    client ??= await plainClient(broker.url, broker.prefix);
    await before();
    await eventually(
      `wait ${times}`,
      () => client.events.filter(({ routingKey }) => routingKey === "run.needs_input").length,
      (count) => count === times,
      { withinMs: 40_000 },
    );
    worker.kill("SIGKILL");
    await worker.result;
  };
  await killedWhileItWaits("first", 1, () =>
    client.publish(
      {
        schemaVersion: 1,
        runId,
        repository: `file://${remote}`,
        specifyText: "Add OAuth login",
        onQuestions: "pause",
        pauseAfter: ["specify", "plan"],
      },
      runId,
    ),
  );
  await killedWhileItWaits("second", 2, () => send({ command: "answer", answers: ["A", null] }));
  await killedWhileItWaits("third", 3, () => send({ command: "reject", comment: "Shorter" }));
  await killedWhileItWaits("fourth", 4, () => send({ command: "approve", phase: "specify" }));
  await using last = await startWorker("last");
  await send({ command: "approve", phase: "plan" });
  const result = await eventually(
    "its result",
    () => client.answers.find(({ correlationId }) => correlationId === runId)?.body,
    Boolean,
    { withinMs: 40_000 },
  );
  expect(runResultSchema.parse(result)).toMatchObject({ status: "succeeded", pushed: true });
  last.kill("SIGTERM");
  expect((await last.result).exitCode).toBe(0);
  expect(
    await checkEverything({
      databaseUrl: database.url,
      amqpUrl: broker.url,
      prefix: broker.prefix,
      remotes: [remote],
      startsPath,
      outcomes: { succeeded: 1 },
    }),
  ).toEqual([]);
});
