import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runResultSchema } from "@speckit/orchestrator/contract";
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
let client: PlainClient;

const start = (name: string, env: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> =>
  startWorkerProcess({
    env,
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, name),
  });

beforeAll(async () => {
  folder = await tempFolder("takeover");
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  expect(await checkRuns(database.url)).toEqual([]);
  await folder[Symbol.asyncDispose]();
});

/** A sample whose first attempt at `plan` works for two minutes; every start is written down outside. */
async function slowPlan(name: string, specifyMs = 0) {
  const startsPath = join(folder.path, `${name}.log`);
  const remote = await makeSampleRemote(join(folder.path, name), {
    ".scripted-agent.json": JSON.stringify({
      specify: { appendTo: startsPath, sleepMs: specifyMs },
      plan: [
        { appendTo: startsPath, sleepMs: 120_000, onlyAttempts: [1] },
        { appendTo: startsPath },
      ],
      tasks: { appendTo: startsPath },
    }),
  });
  const starts = async () =>
    (await readFile(startsPath, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
  const untilPlanRuns = () =>
    eventually("plan has started", starts, (lines) => lines.some((line) => line.includes("plan")), {
      withinMs: 40_000,
    });
  const request = {
    schemaVersion: 1,
    repository: `file://${remote}`,
    specifyText: "Add a slow page",
    agent: { backend: "scripted" },
  };
  return { remote, request, starts, untilPlanRuns };
}

async function resultOf(correlationId: string) {
  const answer = await eventually(
    "the reply",
    () => client.answers.find((one) => one.correlationId === correlationId),
    Boolean,
    { withinMs: 80_000 },
  );
  return runResultSchema.parse(answer?.body);
}

test("a worker killed in the middle of a phase: another one finishes the run, on another state folder", async () => {
  const slow = await slowPlan("killed");
  await using first = await start("first");
  client ??= await plainClient(broker.url, broker.prefix);
  await client.publish(slow.request, "killed");
  await slow.untilPlanRuns();
  await using _second = await start("second");
  first.kill("SIGKILL");

  const result = await resultOf("killed");
  expect(result.status).toBe("succeeded");
  expect(result.phases.find((phase) => phase.name === "plan")).toMatchObject({ attempt: 2 });
  const starts = await slow.starts();
  expect(starts.filter((line) => line.includes("specify"))).toHaveLength(1);
  expect(starts.filter((line) => line.includes("tasks"))).toHaveLength(1);
  const log = await git(slow.remote, "log", "--format=%s", `main..${result.branch}`);
  expect(log.split("\n")).toHaveLength(3);
}, 360_000);

test("F4: SIGTERM in the middle of a phase: exit 0 within 5 s, no retry spent, another worker finishes the run as a new attempt", async () => {
  const slow = await slowPlan("drained");
  await using first = await start("third");
  client ??= await plainClient(broker.url, broker.prefix);
  await client.publish(slow.request, "drained");
  await slow.untilPlanRuns();
  const askedMs = performance.now();
  first.kill("SIGTERM");
  expect((await first.result).exitCode).toBe(0);
  expect(performance.now() - askedMs).toBeLessThan(5_000);
  await using _second = await start("fourth");

  const result = await resultOf("drained");
  expect(result.status).toBe("succeeded");
  expect(result.phases.find((phase) => phase.name === "plan")).toMatchObject({ attempt: 2 });
  const plans = (await slow.starts()).filter((line) => line.startsWith("plan"));
  expect(plans.map((line) => line.split(" ")[1])).toEqual(["1", "2"]);
  const kept = client.events.filter(
    ({ routingKey, body }) => body.subject === result.runId && routingKey.startsWith("phase."),
  );
  expect(kept.filter(({ routingKey }) => routingKey === "phase.interrupted")).toHaveLength(1);
  expect(kept.filter(({ routingKey }) => routingKey === "phase.failed")).toHaveLength(0);
}, 360_000);

test("a second SIGTERM stops at once with exit 75; the lease runs out and another worker carries on", async () => {
  const remote = await makeSampleRemote(join(folder.path, "stubborn"));
  const startedPath = join(folder.path, "stubborn.started");
  const stubborn = ["bash", "-c", `trap "" TERM; touch ${startedPath}; while :; do sleep 1; done`];
  const scripted = fileURLToPath(import.meta.resolve("@speckit/orchestrator/scripted-agent"));
  await using first = await start("fifth", { SPECKIT_AGENT_COMMAND: JSON.stringify(stubborn) });
  client ??= await plainClient(broker.url, broker.prefix);
  const request = {
    schemaVersion: 1,
    repository: `file://${remote}`,
    specifyText: "Add a stubborn page",
  };
  await client.publish(request, "stubborn");
  await eventually("the agent has started", () => existsSync(startedPath), Boolean, {
    withinMs: 40_000,
  });
  first.kill("SIGTERM");
  await eventually(
    "it drains",
    async () => (await first.readiness()).status,
    (status) => status === 503,
  );
  first.kill("SIGTERM");
  expect((await first.result).exitCode).toBe(75);

  const command = JSON.stringify([process.execPath, scripted]);
  await using _second = await start("sixth", { SPECKIT_AGENT_COMMAND: command });
  expect((await resultOf("stubborn")).status).toBe("succeeded");
}, 360_000);

test("a killed worker's run is taken over at once: its lease of ten minutes is not waited for", async () => {
  const slow = await slowPlan("taken-over");
  const long = {
    SPECKIT_LEASE_MS: "600000",
    SPECKIT_HEARTBEAT_MS: "1000",
    SPECKIT_SWEEP_MS: "1000",
  };
  await using first = await start("seventh", long);
  client ??= await plainClient(broker.url, broker.prefix);
  await client.publish(slow.request, "taken-over");
  await slow.untilPlanRuns();
  await using _second = await start("eighth", long);
  first.kill("SIGKILL");

  const result = await resultOf("taken-over");
  expect(result.status).toBe("succeeded");
  const claims = client.events.filter(
    ({ routingKey, body }) => body.subject === result.runId && routingKey === "run.claimed",
  );
  expect(claims.map((claim) => claim.body.data)).toEqual([
    expect.objectContaining({ epoch: 2, tookOverFrom: expect.any(Number) }),
  ]);
}, 360_000);

test("a killed worker's run is taken over by one that was busy, as soon as it is free: what tells of the death is not lost meanwhile", async () => {
  const slow = await slowPlan("inherited", 1_500);
  const busyStarts = join(folder.path, "busy.log");
  const busy = await makeSampleRemote(join(folder.path, "busy"), {
    ".scripted-agent.json": JSON.stringify({ specify: { appendTo: busyStarts, sleepMs: 15_000 } }),
  });
  const env = {
    SPECKIT_SLOTS: "1",
    SPECKIT_LEASE_MS: "600000",
    SPECKIT_HEARTBEAT_MS: "1000",
    SPECKIT_SWEEP_MS: "1000",
  };
  // Handed on once, so that its wake-up is in the queue that workers take from without a free slot.
  await using first = await start("ninth", { ...env, SPECKIT_HOLD_MS: "1000" });
  client ??= await plainClient(broker.url, broker.prefix);
  await client.publish(slow.request, "inherited");
  await slow.untilPlanRuns();
  await using _second = await start("tenth", env);
  await client.publish({ ...slow.request, repository: `file://${busy}` }, "busy");
  await eventually("the other one is busy", () => existsSync(busyStarts), Boolean, {
    withinMs: 40_000,
  });
  first.kill("SIGKILL");

  expect((await resultOf("busy")).status).toBe("succeeded");
  expect((await resultOf("inherited")).status).toBe("succeeded");
}, 540_000);
