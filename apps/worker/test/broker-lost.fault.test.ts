import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import { type PrivateBroker, startPrivateBroker } from "@speckit/private-broker";
import {
  checkEverything,
  eventually,
  readStarts,
  rowsOf,
  type TempFolder,
  tempFolder,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDoor } from "./door.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const PREFIX = "lost";
const WORKERS = ["a", "b", "c", "d"];
/** Enough for a run to be carried on from one phase to the next. */
const AGENT_PHASES = ["specify", "plan"];

/** By which a test knows its runs; another one at every try. */
const newSentence = (about: string) => `Add a page while the broker ${about} (${randomUUID()})`;

const database = await testDatabase();

let broker: PrivateBroker;
let folder: TempFolder;
let startsPath: string;
let remote: string;
let workers: readonly WorkerProcess[];

beforeAll(async () => {
  broker = await startPrivateBroker();
  folder = await tempFolder("broker-lost");
  startsPath = join(folder.path, "starts.log");
  remote = await makeSampleRemote(folder.path, {
    ".scripted-agent.json": JSON.stringify({
      specify: { appendTo: startsPath },
      // Long enough that the broker goes while they run.
      plan: { appendTo: startsPath, sleepMs: 4_000 },
    }),
  });
  workers = await Promise.all(
    WORKERS.map((name) =>
      startWorkerProcess({
        databaseUrl: database.url,
        amqpUrl: broker.url,
        prefix: PREFIX,
        stateDir: join(folder.path, name),
        timeoutMs: 1_800_000,
        env: {
          SPECKIT_SLOTS: "13",
          SPECKIT_LOG_LEVEL: "warn",
          // What a busy machine needs: this is not about leases.
          SPECKIT_LEASE_MS: "30000",
          SPECKIT_HEARTBEAT_MS: "3000",
        },
      }),
    ),
  );
}, 240_000);

afterAll(async () => {
  for (const worker of workers) {
    worker.kill("SIGTERM");
  }
  const ended = await Promise.all(workers.map((worker) => worker.result));
  expect(ended.map(({ exitCode }) => exitCode)).toEqual(WORKERS.map(() => 0));
  const evidence = {
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: PREFIX,
    remotes: [remote],
    startsPath,
  };
  expect(await checkEverything(evidence)).toEqual([]);
  await broker.stop();
  await folder[Symbol.asyncDispose]();
}, 120_000);

interface Fleet {
  readonly stored: number;
  readonly claimed: number;
  readonly over: number;
}

/** How far the runs of one sentence are, by their rows. */
async function fleetOf(sentence: string): Promise<Fleet> {
  const [row] = await rowsOf<Fleet>(
    database.url,
    `SELECT count(*)::int AS stored,
            count(*) FILTER (WHERE epoch > 0)::int AS claimed,
            count(*) FILTER (WHERE cleaned_at IS NOT NULL)::int AS over
       FROM spec_workflow_runs WHERE request->>'specifyText' = $1`,
    [sentence],
  );
  return row ?? { stored: 0, claimed: 0, over: 0 };
}

/** Publishes so many requests; they may be sent before the workers are back. */
async function publish(sentence: string, runs: number): Promise<void> {
  await using door = await openDoor(broker.url, PREFIX);
  const request = {
    schemaVersion: 1,
    repository: `file://${remote}`,
    specifyText: sentence,
    agent: { backend: "scripted" },
    phases: AGENT_PHASES,
  };
  for (let ix = 0; ix < runs; ix += 1) {
    await door.publish(Buffer.from(JSON.stringify({ ...request, externalRef: String(ix) })));
  }
  await door.confirmed();
}

async function untilAllInFlight(sentence: string, runs: number): Promise<void> {
  await eventually(
    "every run is in flight",
    () => fleetOf(sentence),
    (fleet) => fleet.claimed === runs,
    { withinMs: 180_000, everyMs: 100 },
  );
  expect((await fleetOf(sentence)).over).toBeLessThan(runs);
}

/**
 * Every run has succeeded, and each of its agents was started once, as the agents say: an attempt that
 * ended before its agent began, as happens on a machine that is very busy, is no second start.
 */
async function expectAllDone(sentence: string, runs: number): Promise<void> {
  await eventually(
    "every run is over",
    () => fleetOf(sentence),
    (fleet) => fleet.over === runs,
    { withinMs: 400_000, everyMs: 250 },
  );
  const rows = await rowsOf<{ readonly id: string; readonly outcome: string }>(
    database.url,
    "SELECT id, outcome FROM spec_workflow_runs WHERE request->>'specifyText' = $1",
    [sentence],
  );
  expect(rows.filter(({ outcome }) => outcome !== "succeeded")).toEqual([]);
  const ids = new Set(rows.map(({ id }) => id));
  const starts = (await readStarts(startsPath)).filter(({ runId }) => ids.has(runId));
  const names = starts.map(({ runId, phase }) => `${runId} ${phase}`);
  const wanted = [...ids].flatMap((id) => AGENT_PHASES.map((phase) => `${id} ${phase}`));
  expect(names.sort()).toEqual(wanted.sort());
}

async function untilReady(): Promise<void> {
  for (const worker of workers) {
    await eventually(
      "the worker is connected again",
      () => worker.readiness(),
      ({ status }) => status === 200,
      {
        withinMs: 60_000,
        everyMs: 100,
      },
    );
  }
}

test.each([
  ["restarted in good order", {}],
  ["killed and started again", { kill: true }],
])(
  "F8: a broker %s while runs are in flight loses none, and is consumed again",
  async (how, way) => {
    const sentence = newSentence(`is ${how}`);
    await publish(sentence, 12);
    await untilAllInFlight(sentence, 12);
    await broker.restart(way);
    await untilReady();
    // More than before: consumers are back for requests, for new runs and for continuations.
    await publish(sentence, 4);
    await expectAllDone(sentence, 16);
  },
  600_000,
);

test("a broker that has lost all its data with 50 runs in flight: all 50 finish, no agent is started twice", async () => {
  const sentence = newSentence("forgets everything");
  await publish(sentence, 50);
  await untilAllInFlight(sentence, 50);
  await broker.restart({ kill: true, wipe: true });
  await untilReady();
  await expectAllDone(sentence, 50);
  // The door is there again.
  await publish(`${sentence} again`, 2);
  await expectAllDone(`${sentence} again`, 2);
}, 900_000);
