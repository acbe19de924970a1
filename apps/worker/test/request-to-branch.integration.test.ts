import { join } from "node:path";
import { cloudEventSchema, runResultSchema } from "@speckit/orchestrator/contract";
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
let remote: string;
let workers: readonly WorkerProcess[];
let client: PlainClient;

beforeAll(async () => {
  folder = await tempFolder("request-to-branch");
  remote = await makeSampleRemote(folder.path);
  workers = await Promise.all(
    ["a", "b"].map((name) =>
      startWorkerProcess({
        databaseUrl: database.url,
        amqpUrl: broker.url,
        prefix: broker.prefix,
        stateDir: join(folder.path, name),
      }),
    ),
  );
  client = await plainClient(broker.url, broker.prefix);
});

afterAll(async () => {
  for (const worker of workers) {
    worker.kill("SIGTERM");
  }
  const ended = await Promise.all(workers.map((worker) => worker.result));
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expectRunsFields(ended.map(({ stderr }) => stderr).join(""));
  await client[Symbol.asyncDispose]();
  expect(await checkRuns(database.url)).toEqual([]);
  await folder[Symbol.asyncDispose]();
});

/** Every line of a log is JSON with a time; one about a run's phase says whose and which. */
function expectRunsFields(log: string): void {
  const lines = log
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const line = { timestamp: expect.any(String), level: expect.any(String) };
  expect(lines).toEqual(lines.map(() => expect.objectContaining(line)));
  const ofPhases = lines.filter((one) => "phase" in one);
  const fields = {
    ...line,
    runId: expect.any(String),
    repository: expect.stringMatching(/^file:/),
    branch: expect.stringMatching(/^speckit\//),
    attempt: expect.any(Number),
  };
  expect(ofPhases).toEqual(ofPhases.map(() => expect.objectContaining(fields)));
  expect(ofPhases.length).toBeGreaterThan(10);
}

const request = (specifyText: string, more: object = {}) => ({
  schemaVersion: 1,
  repository: `file://${remote}`,
  specifyText,
  agent: { backend: "scripted" },
  ...more,
});

const answerTo = (correlationId: string) =>
  eventually(
    `an answer to ${correlationId}`,
    () => client.answers.find((answer) => answer.correlationId === correlationId),
    Boolean,
    { withinMs: 50_000 },
  );

test("a request becomes a branch; events come in sequence and the reply has the result", async () => {
  await client.publish(request("Add OAuth login", { externalRef: "ticket-1" }), "one");
  const answer = await answerTo("one");
  const result = runResultSchema.parse(answer?.body);
  expect(result).toMatchObject({ status: "succeeded", pushed: true, externalRef: "ticket-1" });
  expect(await git(remote, "rev-parse", result.branch)).toBe(result.headSha);

  const events = await eventually(
    "cleanup's closing event",
    () => client.events.filter((event) => event.body.subject === result.runId),
    (seen) =>
      seen.some(
        ({ routingKey, body }) => routingKey === "phase.succeeded" && body.data.phase === "cleanup",
      ),
  );
  expect(events.map((event) => event.body.data.seq)).toEqual(events.map((_, ix) => ix + 1));
  for (const { routingKey, body } of events) {
    cloudEventSchema.parse(body);
    expect(body.type).toBe(`speckit.${routingKey}`);
  }
  expect(events[0]?.routingKey).toBe("run.accepted");
  expect(events.filter((event) => event.routingKey === "run.succeeded")).toHaveLength(1);
});

test("ten requests at once on one repository make ten branches in ten feature directories", async () => {
  const names = Array.from({ length: 10 }, (_, ix) => `page-${ix}`);
  await Promise.all(names.map((name) => client.publish(request(`Add a ${name}`), name)));
  const results = [];
  for (const name of names) {
    results.push(runResultSchema.parse((await answerTo(name))?.body));
  }
  expect(results.map((result) => result.status)).toEqual(names.map(() => "succeeded"));
  expect(new Set(results.map((result) => result.branch)).size).toBe(10);
  expect(new Set(results.map((result) => result.featureDirectory?.slice(0, 9))).size).toBe(10);
  for (const result of results) {
    expect(await git(remote, "rev-parse", result.branch)).toBe(result.headSha);
  }
}, 120_000);

test("the same request delivered ten times is one run with one branch", async () => {
  const twice = request("Add a page once", { idempotencyKey: "once" });
  await Promise.all(Array.from({ length: 10 }, () => client.publish(twice)));
  await client.publish(twice, "once");
  await eventually(
    "the one run's end",
    () =>
      client.events.filter(
        ({ routingKey, body }) =>
          routingKey === "run.succeeded" && String(body.data.branch).includes("page-once"),
      ),
    (ended) => ended.length === 1,
    { withinMs: 50_000 },
  );
  const branches = await git(remote, "branch", "--list", "speckit/add-a-page-once-*");
  expect(branches.trim().split("\n")).toHaveLength(1);
});

test("an agent that fails once is tried again by way of a retry queue", async () => {
  const flaky = await makeSampleRemote(join(folder.path, "flaky"), {
    ".scripted-agent.json": JSON.stringify({ plan: { exitCode: 3, onlyAttempts: [1] } }),
  });
  await client.publish({ ...request("Add a flaky page"), repository: `file://${flaky}` }, "flaky");
  const result = runResultSchema.parse((await answerTo("flaky"))?.body);
  expect(result.status).toBe("succeeded");
  expect(result.phases.find((phase) => phase.name === "plan")).toMatchObject({ attempt: 2 });
  const waited = client.events.filter(
    ({ routingKey, body }) => body.subject === result.runId && routingKey === "run.waiting",
  );
  expect(waited).toHaveLength(1);
  expect(waited[0]?.body.data).toMatchObject({ phase: "plan", tierMs: 5_000 });
});

test("output that does not hold is given back with the findings, then the run fails with them", async () => {
  const sloppy = await makeSampleRemote(join(folder.path, "sloppy"), {
    ".scripted-agent.json": JSON.stringify({ plan: { omit: ["research.md"] } }),
  });
  await client.publish(
    { ...request("Add a sloppy page"), repository: `file://${sloppy}` },
    "sloppy",
  );
  const result = runResultSchema.parse((await answerTo("sloppy"))?.body);
  expect(result).toMatchObject({
    status: "failed",
    failure: { code: "POSTCONDITION_FAILED", class: "invalid_output" },
  });
  const plan = result.phases.find((phase) => phase.name === "plan");
  expect(plan).toMatchObject({ status: "failed", attempt: 3 });
  expect(plan?.findings.map((finding) => finding.path)).toContain(
    `${result.featureDirectory}/research.md`,
  );
  expect(result.phases.map((phase) => phase.status)).toEqual([
    "succeeded",
    "succeeded",
    "failed",
    "skipped",
    "skipped",
    "skipped",
    expect.any(String),
  ]);
});
