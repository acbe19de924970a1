import { createHash, randomUUID } from "node:crypto";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openOrchestrator } from "@speckit/orchestrator/node";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkEverything,
  databaseUrl,
  eventually,
  rowsOf,
  startPrivatePostgres,
  statement,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import { execa } from "execa";
import { expect, test } from "vitest";
import { openDoor } from "./door.ts";
import { startWorkerProcess } from "./worker-process.ts";

const database = await testDatabase();
const broker = testBroker();
/** Of the deployment that is restored: it has nothing of the other's queues. */
const emptyBroker = testBroker();

interface Row {
  readonly id: string;
  readonly status: string;
  readonly cleaned: boolean;
}

const runsIn = (url: string) =>
  rowsOf<Row>(
    url,
    "SELECT id, status, cleaned_at IS NOT NULL AS cleaned FROM spec_workflow_runs ORDER BY id",
  );

/** What a finished run has come to, whole. */
const resultOf = (url: string, runId: string) =>
  rowsOf(
    url,
    `SELECT to_jsonb(run) AS run,
       (SELECT jsonb_agg(to_jsonb(task) ORDER BY phase, attempt)
          FROM spec_workflow_task_states AS task WHERE run_id = run.id) AS tasks,
       (SELECT jsonb_agg(to_jsonb(event) ORDER BY seq)
          FROM spec_workflow_events AS event WHERE run_id = run.id) AS events,
       (SELECT encode(bundle, 'hex') FROM spec_workflow_checkpoints WHERE run_id = run.id) AS checkpoint
     FROM spec_workflow_runs AS run WHERE id = $1`,
    [runId],
  );

test("a backup taken under load, restored into an empty deployment: finished runs are as they were, live ones go on", async () => {
  await using folder = await tempFolder("backup");
  await using server = await startPrivatePostgres();
  const sample = async (name: string, script: object) =>
    makeSampleRemote(join(folder.path, name), { ".scripted-agent.json": JSON.stringify(script) });
  const remote = await sample("slow", { plan: { sleepMs: 700 }, tasks: { sleepMs: 700 } });
  const asking = await sample("asking", {
    specify: { onlyAttempts: [1], askQuestion: "Which one?" },
  });
  const settings = (name: string) => ({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, name),
    env: { SPECKIT_SLOTS: "4" },
  });
  const source = settings("source");
  await using worker = await startWorkerProcess(source);
  const asked = randomUUID();
  const runIds = Array.from({ length: 14 }, () => randomUUID());
  {
    await using door = await openDoor(broker.url, broker.prefix);
    const publish = (runId: string, path: string) =>
      door.publish(
        Buffer.from(
          JSON.stringify({
            schemaVersion: 1,
            runId,
            repository: `file://${path}`,
            specifyText: "Add a page",
            agent: { backend: "scripted" },
            onQuestions: "pause",
          }),
        ),
      );
    await publish(asked, asking);
    for (const runId of runIds) {
      await publish(runId, remote);
    }
    await door.confirmed();
  }
  await eventually(
    "some runs are over, some are at work, some wait for a worker, and one asks",
    () => runsIn(database.url),
    (rows) =>
      rows.filter(({ cleaned }) => cleaned).length > 2 &&
      ["in_progress", "queued", "needs_input"].every((status) =>
        rows.some((row) => row.status === status),
      ),
    { withinMs: 180_000, everyMs: 30 },
  );

  // The database first: a row is written after the files that it names. As docs/deployment.md has it.
  const dump = join(folder.path, "speckit.dump");
  await execa("pg_dump", ["--format=custom", `--file=${dump}`, `--dbname=${database.url}`]);
  const restoredState = join(folder.path, "restored");
  const artifactsOf = (stateDir: string) => join(stateDir, "artifacts");
  await cp(artifactsOf(source.stateDir), artifactsOf(restoredState), { recursive: true });
  worker.kill("SIGKILL");
  await worker.result;

  await statement(server.url, "CREATE ROLE speckit_gateway NOLOGIN");
  await statement(server.url, "CREATE DATABASE restored");
  const restored = databaseUrl(server.url, "restored");
  await execa("pg_restore", ["--exit-on-error", "--no-owner", `--dbname=${restored}`, dump]);
  const then = await runsIn(restored);
  expect(then).toHaveLength(runIds.length + 1);
  const finished = then.filter(({ cleaned }) => cleaned);
  const live = then.filter(({ cleaned }) => !cleaned);
  expect(finished.length).toBeGreaterThan(2);
  expect(new Set(live.map(({ status }) => status))).toContain("in_progress");
  const before = await Promise.all(finished.map(({ id }) => resultOf(database.url, id)));

  await using successor = await startWorkerProcess({
    ...settings("restored"),
    databaseUrl: restored,
    prefix: emptyBroker.prefix,
  });
  await using opened = await openOrchestrator({
    databaseUrl: restored,
    stateDir: restoredState,
    logLevel: "error",
  });
  await opened.orchestrator.command({
    schemaVersion: 1,
    commandId: randomUUID(),
    runId: asked,
    command: "answer",
    round: 1,
    answers: ["The first"],
  });
  const ended = await eventually(
    "every run is over",
    () => runsIn(restored),
    (rows) => rows.every(({ cleaned }) => cleaned),
    { withinMs: 240_000, everyMs: 100 },
  );
  expect(ended.filter(({ status }) => status !== "succeeded")).toEqual([]);
  expect(await Promise.all(finished.map(({ id }) => resultOf(restored, id)))).toEqual(before);
  successor.kill("SIGTERM");
  expect((await successor.result).exitCode).toBe(0);

  // Every artifact is there, of the finished ones and of those that went on.
  const artifacts = await rowsOf<{ run_id: string; name: string; sha256: string }>(
    restored,
    "SELECT run_id, name, sha256 FROM spec_workflow_artifacts",
  );
  expect(new Set(artifacts.map(({ run_id }) => run_id)).size).toBe(then.length);
  for (const { run_id, name, sha256 } of artifacts) {
    const content = await readFile(join(artifactsOf(restoredState), run_id, name));
    expect(createHash("sha256").update(content).digest("hex"), `${run_id} ${name}`).toBe(sha256);
  }
  const evidence = { databaseUrl: restored, remotes: [remote, asking] };
  const queues = { amqpUrl: emptyBroker.url, prefix: emptyBroker.prefix };
  expect(await checkEverything({ ...evidence, ...queues })).toEqual([]);
}, 500_000);
