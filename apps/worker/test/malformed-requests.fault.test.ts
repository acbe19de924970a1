import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkEverything,
  eventually,
  rowsOf,
  runProgram,
  seededRandom,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
  testSeed,
} from "@speckit/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Door, openDoor } from "./door.ts";
import {
  LIMIT_BYTES,
  type MalformedRequest,
  malformedRequest,
  ofSize,
} from "./malformed-requests.ts";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const MESSAGES = 10_000;
const GOOD_ONE_IN = 1_000;
const SPECKIT = fileURLToPath(new URL("../../cli/bin/speckit.mjs", import.meta.url));

const database = await testDatabase();
const broker = testBroker();

let folder: TempFolder;
let remote: string;
let worker: WorkerProcess;
let client: PlainClient;
let door: Door;

beforeAll(async () => {
  folder = await tempFolder("malformed");
  remote = await makeSampleRemote(folder.path);
  worker = await startWorkerProcess({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, "state"),
    timeoutMs: 800_000,
    env: {
      SPECKIT_REPOSITORIES: `file://${folder.path}/*`,
      SPECKIT_LOG_LEVEL: "warn",
      // A heap that is not collected before it must be says nothing about what is held: with all
      // the room there is, V8 lets it grow to 450 MB; on a small one (64 MB) 10,000 and 20,000
      // messages peak alike, at 315 MB, but then collecting is most of the work.
      NODE_OPTIONS: "--max-old-space-size=256",
    },
  });
  client = await plainClient(broker.url, broker.prefix);
  door = await openDoor(broker.url, broker.prefix);
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const valid = () => ({
  schemaVersion: 1,
  repository: `file://${remote}`,
  specifyText: "Add a page",
  agent: { backend: "scripted" },
});

/** Almost as large as RabbitMQ 4 takes. */
const enormous = (): MalformedRequest => ({
  kind: "enormous",
  body: ofSize(valid(), 15 * 1024 * 1024),
  codes: ["REQUEST_TOO_LARGE"],
  properties: {},
  key: "request",
});

/** Resident memory of a process in MB, now and at its highest. */
async function memoryMb(pid: number): Promise<{ readonly now: number; readonly highest: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kB = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  return { now: kB("VmRSS") / 1024, highest: kB("VmHWM") / 1024 };
}

/** Looks at a worker's readiness all the time, until stopped; tells what was not 200. */
function watchReadiness(): { readonly stop: () => Promise<readonly unknown[]> } {
  const bad: unknown[] = [];
  const stopping = new AbortController();
  let looks = 0;
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const seen = await worker.readiness().catch((error: unknown) => ({ status: String(error) }));
      looks += 1;
      if (seen.status !== 200) {
        bad.push(seen);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await watching;
      return looks === 0 ? ["never looked"] : bad;
    },
  };
}

test("F34, F35: of 10,000 malformed requests each is kept with its reason, good ones in between are served", async () => {
  const random = seededRandom(testSeed("malformed requests"));
  const readiness = watchReadiness();
  const sent: MalformedRequest[] = [];
  const good: string[] = [];
  const startedAtMs = performance.now();
  for (let ix = 0; ix < MESSAGES; ix += 1) {
    const bad = ix === MESSAGES / 2 ? enormous() : malformedRequest(random, valid());
    sent.push(bad);
    await door.publish(bad.body, { ...bad.properties, messageId: `bad-${ix}` }, bad.key);
    if (ix % GOOD_ONE_IN === 0) {
      const name = `good-${ix}`;
      good.push(name);
      // One is as large as a request may be, one calls itself something else.
      const body = ix === 0 ? ofSize(valid(), LIMIT_BYTES) : Buffer.from(JSON.stringify(valid()));
      await client.publish(body, name);
    }
  }
  await door.confirmed();
  const publishedAtMs = performance.now();
  const before = await memoryMb(worker.pid);

  await eventually(
    "every malformed request is in the dead-letter queue",
    async () => ({
      dead: await client.depth(`${broker.prefix}.dead`),
      // More than the good ones: something malformed was taken.
      runs: await rowsOf(database.url, "SELECT request FROM spec_workflow_runs"),
    }),
    ({ dead }) => dead >= MESSAGES,
    { withinMs: 420_000, everyMs: 500 },
  );
  const intakeMs = performance.now() - startedAtMs;
  await eventually(
    "every good one is served",
    () => client.answers.map((answer) => [answer.correlationId, answer.body.status]),
    (answers) => answers.length >= good.length,
    { withinMs: 240_000, everyMs: 200 },
  );
  expect(await readiness.stop()).toEqual([]);
  expect(
    client.answers.map(({ correlationId, body }) => [correlationId, body.status]).sort(),
  ).toEqual(good.map((name) => [name, "succeeded"]).sort());

  const after = await memoryMb(worker.pid);
  process.stdout.write(
    `published in ${Math.round(publishedAtMs - startedAtMs)} ms, refused in ${Math.round(intakeMs)} ms; ` +
      `worker ${Math.round(before.now)} MB, then ${Math.round(after.now)} MB, at most ${Math.round(after.highest)} MB\n`,
  );
  const dead = await door.dead();
  const byId = new Map(dead.map((letter) => [letter.messageId, letter]));
  expect(dead).toHaveLength(MESSAGES);
  expect(byId.size).toBe(MESSAGES);
  const wrong: unknown[] = [];
  for (const [ix, { kind, body, codes }] of sent.entries()) {
    const letter = byId.get(`bad-${ix}`);
    const { code, reason } = letter ?? {};
    const isWhole = letter?.body.equals(body) === true;
    const isTold = typeof reason === "string" && /^\P{Cc}{10,1000}$/u.test(reason);
    if (!isWhole || !isTold || !codes.includes(String(code))) {
      wrong.push({ ix, kind, code, reason, isWhole, body: body.toString("latin1", 0, 300) });
    }
  }
  expect(wrong).toEqual([]);

  expect(after.highest).toBeLessThan(500);

  // The last word: a request put right becomes a run, out of the queue that is as full as it gets.
  // Some say of themselves that they are commands, and would be read as such again.
  const letter = dead.find(({ messageId }) => {
    const { key, properties } = sent[Number(messageId?.slice("bad-".length))] ?? {};
    return key === "request" && properties?.type === undefined;
  });
  const others = dead.filter((one) => one !== letter).slice(0, 999);
  await door.bury([...(letter === undefined ? [] : [letter]), ...others]);
  const corrected = join(folder.path, "corrected.json");
  await writeFile(corrected, JSON.stringify({ ...valid(), specifyText: "Add a corrected page" }));
  const replayed = await runProgram(
    SPECKIT,
    ["dead", "replay", String(letter?.id), "--file", corrected, "--json"],
    {
      cwd: folder.path,
      env: {
        AMQP_URL: broker.url,
        DATABASE_URL: database.url,
        SPECKIT_AMQP_PREFIX: broker.prefix,
        SPECKIT_HOME: folder.path,
      },
    },
  );
  expect(replayed).toMatchObject({ exitCode: 0, stderr: "" });
  await eventually(
    "the corrected one is a run",
    () => client.events.filter(({ routingKey }) => routingKey === "run.succeeded"),
    (ended) => ended.length === good.length + 1,
    { withinMs: 60_000 },
  );
  expect(await client.depth(`${broker.prefix}.dead`)).toBe(999);

  worker.kill("SIGTERM");
  expect((await worker.result).exitCode).toBe(0);
  const codes = others.map(({ code }) => code);
  const evidence = {
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    remotes: [remote],
    deadLetters: codes,
    outcomes: { succeeded: good.length + 1 },
  };
  expect(await checkEverything(evidence)).toEqual([]);
}, 700_000);
