import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkEverything,
  eventually,
  holdLocks,
  readStarts,
  rowsOf,
  runProgram,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Door, openDoor } from "./door.ts";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const COPIES = 10;
const SPECKIT = fileURLToPath(new URL("../../cli/bin/speckit.mjs", import.meta.url));

const database = await testDatabase();
const other = await testDatabase();
const broker = testBroker();
const otherBroker = testBroker();

let folder: TempFolder;
let startsPath: string;
let remote: string;
let flaky: string;
let slow: string;
let workers: readonly WorkerProcess[];
let client: PlainClient;
let door: Door;

beforeAll(async () => {
  folder = await tempFolder("duplicates");
  startsPath = join(folder.path, "starts.log");
  const written = { appendTo: startsPath };
  const sample = (name: string, firstPlan: object) =>
    makeSampleRemote(join(folder.path, name), {
      ".scripted-agent.json": JSON.stringify({
        specify: written,
        plan: [{ ...written, ...firstPlan, onlyAttempts: [1] }, written],
        tasks: written,
      }),
    });
  remote = await sample("plain", {});
  flaky = await sample("flaky", { exitCode: 3 });
  slow = await sample("slow", { sleepMs: 120_000 });
  workers = await Promise.all(
    ["a", "b", "c", "d"].map((name) =>
      startWorkerProcess({
        databaseUrl: database.url,
        amqpUrl: broker.url,
        prefix: broker.prefix,
        stateDir: join(folder.path, name),
        // Slots for every copy at once; a sweeper that stays out of the way.
        env: { SPECKIT_SLOTS: "4", SPECKIT_SWEEP_MS: "600000" },
      }),
    ),
  );
  client = await plainClient(broker.url, broker.prefix);
  door = await openDoor(broker.url, broker.prefix);
}, 540_000);

afterAll(async () => {
  for (const worker of workers) {
    worker.kill("SIGTERM");
  }
  const codes = await Promise.all(workers.map(async (worker) => (await worker.result).exitCode));
  expect(codes).toEqual([0, 0, 0, 0]);
  await door[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
  const evidence = {
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    remotes: [remote, flaky, slow],
    startsPath,
    outcomes: { succeeded: 4, cancelled: 1 },
  };
  expect(await checkEverything(evidence)).toEqual([]);
  await folder[Symbol.asyncDispose]();
}, 360_000);

const request = (specifyText: string, more: object = {}) => ({
  schemaVersion: 1,
  repository: `file://${remote}`,
  specifyText,
  agent: { backend: "scripted" },
  ...more,
});

/** Types of a run's events, as its rows have them. */
async function eventsOf(runId: string): Promise<readonly string[]> {
  const rows = await rowsOf<{ readonly type: string }>(
    database.url,
    "SELECT type FROM spec_workflow_events WHERE run_id = $1 ORDER BY seq",
    [runId],
  );
  return rows.map(({ type }) => type);
}

async function untilCleaned(runId: string): Promise<string | undefined> {
  const [run] = await eventually(
    "the run is over",
    () =>
      rowsOf<{ readonly outcome: string }>(
        database.url,
        "SELECT outcome FROM spec_workflow_runs WHERE id = $1 AND cleaned_at IS NOT NULL",
        [runId],
      ),
    (rows) => rows.length === 1,
    { withinMs: 60_000, everyMs: 100 },
  );
  return run?.outcome;
}

const count = (types: readonly string[], type: string) =>
  types.filter((one) => one === type).length;

describe("F12: one message ten times at once, to four workers", () => {
  test.each([
    ["runId", { runId: randomUUID() }],
    ["idempotencyKey", { idempotencyKey: "ten-times" }],
  ])("a request with a %s makes one run, claimed once", async (name, identity) => {
    const body = Buffer.from(JSON.stringify(request(`Add a page by ${name}`, identity)));
    await Promise.all(Array.from({ length: COPIES }, () => door.publish(body)));
    await door.confirmed();
    const runs = await eventually(
      "a run is there",
      () =>
        rowsOf<{ readonly id: string }>(
          database.url,
          "SELECT id FROM spec_workflow_runs WHERE request->>'specifyText' = $1",
          [`Add a page by ${name}`],
        ),
      (rows) => rows.length > 0,
    );
    expect(runs).toHaveLength(1);
    const runId = String(runs[0]?.id);
    expect(await untilCleaned(runId)).toBe("succeeded");
    const events = await eventsOf(runId);
    expect(count(events, "run.accepted")).toBe(1);
    expect(count(events, "run.started")).toBe(1);
    expect(count(events, "run.claimed")).toBe(0);
    const starts = (await readStarts(startsPath)).filter((start) => start.runId === runId);
    expect(starts.map(({ phase }) => phase)).toEqual(["specify", "plan", "tasks"]);
  });

  test("a wake-up is exactly one claim", async () => {
    await door.publish(
      Buffer.from(JSON.stringify(request("Add a flaky page", { repository: `file://${flaky}` }))),
    );
    const [waiting] = await eventually(
      "the run waits for its second try",
      () =>
        rowsOf<{ readonly id: string; readonly epoch: number }>(
          database.url,
          `SELECT id, epoch::int FROM spec_workflow_runs
            WHERE git_remote LIKE '%flaky%' AND epoch > 0 AND outcome IS NULL
              AND lease_until IS NULL`,
        ),
      (rows) => rows.length === 1,
      { withinMs: 30_000 },
    );
    const { id, epoch } = waiting ?? { id: "", epoch: 0 };
    // All claims wait for the row, that of its own delayed wake-up too, then go for it at once.
    {
      await using _row = await holdLocks(
        database.url,
        "SELECT 1 FROM spec_workflow_runs WHERE id = $1 FOR UPDATE",
        [id],
      );
      await eventually(
        "it is due: earlier copies would rightly be forgotten",
        () =>
          rowsOf(
            database.url,
            "SELECT 1 FROM spec_workflow_runs WHERE id = $1 AND due_at <= clock_timestamp()",
            [id],
          ),
        (rows) => rows.length === 1,
      );
      const body = Buffer.from(JSON.stringify({ v: 1, runId: id }));
      await Promise.all(Array.from({ length: COPIES }, () => door.wake(body)));
      await door.confirmed();
      await eventually(
        "several workers want the row",
        async () => {
          const [seen] = await rowsOf<{ readonly waiting: number }>(
            database.url,
            `SELECT count(*)::int AS waiting FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return seen?.waiting ?? 0;
        },
        (seen) => seen >= 2,
      );
    }
    expect(await untilCleaned(id)).toBe("succeeded");
    expect(count(await eventsOf(id), "run.claimed")).toBe(1);
    expect(
      await rowsOf(database.url, "SELECT epoch::int FROM spec_workflow_runs WHERE id = $1", [id]),
    ).toEqual([{ epoch: epoch + 1 }]);
    const plans = (await readStarts(startsPath)).filter(
      (start) => start.runId === id && start.phase === "plan",
    );
    expect(plans.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });
});

/** What a database says of every run but one, as one value to compare. */
const everything = (databaseUrl: string, exceptRunId: string) =>
  rowsOf(
    databaseUrl,
    `SELECT (SELECT json_agg(t ORDER BY id) FROM spec_workflow_runs t WHERE id <> $1) AS runs,
            (SELECT json_agg(t ORDER BY run_id, phase, attempt)
               FROM spec_workflow_task_states t WHERE run_id <> $1) AS tasks,
            (SELECT json_agg(t ORDER BY run_id, seq)
               FROM spec_workflow_events t WHERE run_id <> $1) AS events`,
    [exceptRunId],
  );

test("F36: wake-ups for runs that are unknown, finished, cancelled or another fleet's change nothing", async () => {
  const runId = randomUUID();
  await door.publish(
    Buffer.from(
      JSON.stringify(request("Add a slow page", { runId, repository: `file://${slow}` })),
    ),
  );
  await eventually(
    "its plan runs",
    () => readStarts(startsPath),
    (starts) => starts.some((start) => start.runId === runId && start.phase === "plan"),
    { withinMs: 40_000 },
  );
  const env = {
    AMQP_URL: broker.url,
    DATABASE_URL: database.url,
    SPECKIT_AMQP_PREFIX: broker.prefix,
    SPECKIT_HOME: folder.path,
  };
  expect(await runProgram(SPECKIT, ["cancel", runId], { env, cwd: folder.path })).toMatchObject({
    exitCode: 0,
  });
  expect(await untilCleaned(runId)).toBe("cancelled");

  // Of a fleet on another database, at the same broker.
  const foreign = randomUUID();
  const theirs = { ...env, DATABASE_URL: other.url, SPECKIT_AMQP_PREFIX: otherBroker.prefix };
  const submitted = await runProgram(
    SPECKIT,
    ["submit", "acme/shop", "Add a page", "--agent", "scripted", "--run-id", foreign],
    { env: theirs, cwd: folder.path },
  );
  expect(submitted).toMatchObject({ exitCode: 0 });

  const [done] = await rowsOf<{ readonly id: string }>(
    database.url,
    "SELECT id FROM spec_workflow_runs WHERE outcome = 'succeeded' LIMIT 1",
  );
  const lastId = randomUUID();
  const before = await everything(database.url, lastId);
  const theirsBefore = await everything(other.url, lastId);
  const ids = [randomUUID(), String(done?.id), runId, foreign, foreign.toUpperCase()];
  for (const id of ids) {
    for (const suspectEpoch of [undefined, 1, 2, Number.MAX_SAFE_INTEGER]) {
      const body = Buffer.from(JSON.stringify({ v: 1, runId: id, suspectEpoch }));
      await door.wake(body, "wake");
      await door.wake(body, "start");
    }
  }
  await door.confirmed();
  // A run behind them in the same queues: when it is over they have been looked at.
  const last = { runId: lastId, dryRun: true, phases: ["specify"] };
  await client.publish(request("Add a last page", last));
  expect(await untilCleaned(lastId)).toBe("succeeded");
  expect(await everything(database.url, lastId)).toEqual(before);
  expect(await everything(other.url, lastId)).toEqual(theirsBefore);
  for (const worker of workers) {
    expect((await worker.readiness()).status).toBe(200);
  }
});
