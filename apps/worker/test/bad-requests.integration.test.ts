import { join } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkRuns,
  eventually,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Dead, type PlainClient, plainClient } from "./plain-client.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const database = await testDatabase();
const broker = testBroker();

let folder: TempFolder;
let remote: string;
let worker: WorkerProcess;
let client: PlainClient;

beforeAll(async () => {
  folder = await tempFolder("bad-requests");
  remote = await makeSampleRemote(folder.path);
  worker = await startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
    env: { SPECKIT_REPOSITORIES: `file://${folder.path}/*` },
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

const valid = () => ({
  schemaVersion: 1,
  repository: `file://${remote}`,
  specifyText: "Add a page",
  agent: { backend: "scripted" },
});

const BAD: readonly (readonly [string, string, () => Buffer | object])[] = [
  ["REQUEST_NOT_JSON", "empty", () => Buffer.alloc(0)],
  ["REQUEST_NOT_JSON", "not JSON", () => Buffer.from("{")],
  ["REQUEST_NOT_JSON", "not UTF-8", () => Buffer.from([0xff, 0xfe])],
  ["REQUEST_TOO_LARGE", "1 MB", () => ({ ...valid(), specifyText: "x".repeat(1_000_000) })],
  ["REQUEST_INVALID", "an unknown field", () => ({ ...valid(), priority: 1 })],
  ["REQUEST_INVALID", "a wrong type", () => ({ ...valid(), specifyText: 7 })],
  ["REQUEST_INVALID", "an empty sentence", () => ({ ...valid(), specifyText: " " })],
  ["REQUEST_INVALID", "another version", () => ({ ...valid(), schemaVersion: 2 })],
  ["REQUEST_INVALID", "a list", () => []],
  ["REQUEST_INVALID", "questions to nobody", () => ({ ...valid(), onQuestions: "ask" })],
  ["REQUEST_INVALID", "a branch git refuses", () => ({ ...valid(), branch: "a..b" })],
  [
    "REPOSITORY_INVALID",
    "a command as repository",
    () => ({ ...valid(), repository: "ext::sh -c id" }),
  ],
  [
    "REPOSITORY_INVALID",
    "an option as repository",
    () => ({ ...valid(), repository: "--upload-pack=x" }),
  ],
  [
    "REPOSITORY_NOT_ALLOWED",
    "a repository outside the allow-list",
    () => ({ ...valid(), repository: "acme/shop" }),
  ],
  ["AGENT_UNKNOWN", "an agent nobody has", () => ({ ...valid(), agent: { backend: "nobody" } })],
];

test("every bad request is kept with its reason, told and answered, and good ones go on", async () => {
  for (const [, name, body] of BAD) {
    await client.publish(body(), name);
  }
  await client.publish(valid(), "good");
  await eventually(
    "an answer to each",
    () => client.answers.length,
    (count) => count === BAD.length + 1,
    {
      withinMs: 50_000,
    },
  );
  for (const [code, name] of BAD) {
    const answer = client.answers.find((one) => one.correlationId === name);
    expect(answer?.body, name).toMatchObject({ status: "rejected", failure: { code } });
  }
  expect(client.answers.find((one) => one.correlationId === "good")?.body).toMatchObject({
    status: "succeeded",
  });
  expect(client.events.filter((event) => event.routingKey === "run.rejected")).toHaveLength(
    BAD.length,
  );

  const dead: Dead[] = [...(await client.dead())];
  expect(dead.map((one) => one.headers["speckit-code"]).sort()).toEqual(
    BAD.map(([code]) => code).sort(),
  );
  for (const { headers } of dead) {
    expect(headers["speckit-reason"]).toEqual(expect.any(String));
  }
  expect(dead.some((one) => one.body.equals(Buffer.from("{")))).toBe(true);
  expect((await worker.readiness()).status).toBe(200);
});
