import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkRuns,
  eventually,
  type StatsdListener,
  statsdListener,
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

const start = (name: string, env: Readonly<Record<string, string>>): Promise<WorkerProcess> =>
  startWorkerProcess({
    env,
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, name),
  });

const tellingTo = (host: string, port: number) => ({
  STATSD_HOST: host,
  STATSD_PORT: String(port),
  SPECKIT_STATSD_PREFIX: "fleet.speckit",
});

beforeAll(async () => {
  folder = await tempFolder("metrics");
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  expect(await checkRuns(database.url)).toEqual([]);
  await folder[Symbol.asyncDispose]();
});

/** Publishes a request once somebody consumes, and so has declared the queues. */
async function request(remote: string, name: string): Promise<void> {
  client ??= await plainClient(broker.url, broker.prefix);
  const body = {
    schemaVersion: 1,
    repository: `file://${remote}`,
    specifyText: `Add a page ${name}`,
    agent: { backend: "scripted" },
  };
  await client.publish(body, name);
}

const statusOf = async (name: string) => {
  const answer = await eventually(
    "the reply",
    () => client.answers.find((one) => one.correlationId === name),
    Boolean,
    { withinMs: 80_000 },
  );
  return answer?.body.status;
};

const untilTold = ({ datagrams }: StatsdListener, text: string) =>
  eventually(
    text,
    () => datagrams,
    (seen) => seen.includes(text),
    { withinMs: 40_000 },
  );

test("a worker that takes over from a killed one tells so, and how the run ended", async () => {
  const startsPath = join(folder.path, "starts.log");
  const remote = await makeSampleRemote(join(folder.path, "killed"), {
    ".scripted-agent.json": JSON.stringify({
      plan: { appendTo: startsPath, sleepMs: 120_000, onlyAttempts: [1] },
    }),
  });
  await using killed = await statsdListener();
  await using alive = await statsdListener();
  await using first = await start("first", tellingTo("127.0.0.1", killed.port));
  await request(remote, "killed");
  await eventually("plan has started", () => readFile(startsPath, "utf8"), Boolean, {
    withinMs: 40_000,
  });
  await using second = await start("second", tellingTo("localhost", alive.port));
  first.kill("SIGKILL");
  expect(await statusOf("killed")).toBe("succeeded");
  await untilTold(alive, "fleet.speckit.runs_ended:1|c|#outcome:succeeded");
  second.kill("SIGTERM");
  expect((await second.result).exitCode).toBe(0);
  await untilTold(alive, "fleet.speckit.runs_in_hand:0|g");

  const phases = (listener: StatsdListener) =>
    listener.datagrams.flatMap((text) => /#phase:(\w+),became:succeeded/.exec(text)?.[1] ?? []);
  expect(phases(killed)).toEqual(["prepare", "specify"]);
  expect(phases(alive)).toEqual(["plan", "tasks", "publish", "pull_request"]);
  expect(killed.datagrams).toContain("fleet.speckit.requests:1|c|#became:accepted");
  expect(killed.datagrams).toContain("fleet.speckit.runs_in_hand:1|g");
  expect(alive.datagrams.filter((text) => text.includes("takeovers"))).toEqual([
    "fleet.speckit.takeovers:1|c",
  ]);
  expect(alive.datagrams).toContain("fleet.speckit.retries:1|c|#class:interrupted");
  for (const text of [...killed.datagrams, ...alive.datagrams]) {
    expect(text).toMatch(/^fleet\.speckit\.[a-z_]+:\d+\|(c|g|ms)(\|#[a-z]+:\w+(,[a-z]+:\w+)*)?$/);
  }
}, 450_000);

test.each([
  ["a name that nobody has", "nowhere.invalid", "metrics not sent"],
  ["a port that nobody listens on", "127.0.0.1", undefined],
])(
  "%s harms no run and no worker",
  async (name, host, told) => {
    const { port, ...unused } = await statsdListener();
    await unused[Symbol.asyncDispose]();
    const remote = await makeSampleRemote(join(folder.path, host));
    await using worker = await start(`worker-${host}`, tellingTo(host, port));
    await request(remote, name);
    expect(await statusOf(name)).toBe("succeeded");
    worker.kill("SIGTERM");
    const { exitCode, stderr } = await worker.result;
    expect(exitCode).toBe(0);
    const lines = stderr.split("\n").filter((line) => line.includes("metrics not sent"));
    if (told === undefined) {
      expect(lines).toEqual([]);
    } else {
      expect(lines.length).toBeGreaterThan(0);
    }
  },
  450_000,
);
