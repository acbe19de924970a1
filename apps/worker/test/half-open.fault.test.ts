import { join } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkEverything,
  eventually,
  processesWith,
  readStarts,
  rowsOf,
  tcpProxy,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { expect, test } from "vitest";
import { openDoor } from "./door.ts";
import { launchWorker, startWorkerProcess } from "./worker-process.ts";

const database = await testDatabase();
const broker = testBroker();

/** What the agent of the lost host leaves running, told apart by a number nobody else uses. */
const UNIQUE_SECONDS = "100417";
const leftBehind = () => processesWith(`sleep\0${UNIQUE_SECONDS}`);

/** Shorter than the default 15 s, so that the test need not wait for two of those. */
const HEARTBEAT_SECONDS = 2;

test("F11: a worker whose host has vanished is replaced by lease, and is of use again when it is back", async () => {
  await using folder = await tempFolder("half-open");
  const startsPath = join(folder.path, "starts.log");
  const remote = await makeSampleRemote(folder.path, {
    ".scripted-agent.json": JSON.stringify({
      specify: { appendTo: startsPath },
      plan: [
        {
          onlyAttempts: [1],
          appendTo: startsPath,
          spawn: `sleep ${UNIQUE_SECONDS}`,
          sleepMs: 120_000,
        },
        { appendTo: startsPath },
      ],
      tasks: { appendTo: startsPath },
    }),
  });
  await using toBroker = await tcpProxy(broker.url);
  await using toDatabase = await tcpProxy(database.url);
  const amqpUrl = `${toBroker.url}?heartbeat=${HEARTBEAT_SECONDS}`;
  const settings = { databaseUrl: database.url, amqpUrl: broker.url, prefix: broker.prefix };
  await using first = await startWorkerProcess({
    ...settings,
    databaseUrl: toDatabase.url,
    amqpUrl,
    stateDir: join(folder.path, "first"),
    timeoutMs: 280_000,
  });
  await using door = await openDoor(broker.url, broker.prefix);
  const request = {
    schemaVersion: 1,
    repository: `file://${remote}`,
    agent: { backend: "scripted" },
  };
  const publish = async (specifyText: string, more: object = {}) => {
    await door.publish(Buffer.from(JSON.stringify({ ...request, specifyText, ...more })));
    await door.confirmed();
  };
  const untilDone = async (specifyText: string) => {
    const [run] = await eventually(
      `${specifyText}: it is over`,
      () =>
        rowsOf<{ readonly id: string; readonly outcome: string; readonly epoch: number }>(
          database.url,
          `SELECT id, outcome, epoch::int FROM spec_workflow_runs
            WHERE request->>'specifyText' = $1 AND cleaned_at IS NOT NULL`,
          [specifyText],
        ),
      (rows) => rows.length === 1,
      { withinMs: 90_000, everyMs: 100 },
    );
    return run;
  };
  const plansOf = async (runId: string | undefined) =>
    (await readStarts(startsPath)).filter((one) => one.runId === runId && one.phase === "plan");

  await publish("Add a page");
  await eventually(
    "plan runs",
    () => readStarts(startsPath),
    (starts) => starts.some(({ phase }) => phase === "plan"),
    { withinMs: 40_000 },
  );
  await eventually("its agent is found", leftBehind, (pids) => pids.length > 0);
  // The host vanishes: nothing is closed, nothing comes through any more.
  for (const proxy of [toBroker, toDatabase]) {
    proxy.freeze();
    // Else the first, on a new connection, may be back before its lease is over: then nobody takes over.
    proxy.refuse();
  }
  const second = await launchWorker({ ...settings, stateDir: join(folder.path, "second") });
  try {
    const run = await untilDone("Add a page");
    expect(run).toMatchObject({ outcome: "succeeded", epoch: 2 });
    expect((await plansOf(run?.id)).map(({ attempt }) => attempt)).toEqual([1, 2]);
  } finally {
    second.kill("SIGTERM");
    expect((await second.result).exitCode).toBe(0);
  }

  toBroker.accept();
  toDatabase.accept();
  // New connections come through: the first is ready again, and carries the next run alone.
  await eventually(
    "the first is ready",
    () => first.readiness(),
    ({ status }) => status === 200,
    {
      withinMs: 60_000,
      everyMs: 100,
    },
  );
  await publish("Add another page", { phases: ["specify"] });
  await untilDone("Add another page");
  expect(await leftBehind()).toEqual([]);
  first.kill("SIGTERM");
  expect((await first.result).exitCode).toBe(0);
  expect(
    await checkEverything({
      ...settings,
      remotes: [remote],
      startsPath,
      outcomes: { succeeded: 2 },
    }),
  ).toEqual([]);
}, 900_000);
