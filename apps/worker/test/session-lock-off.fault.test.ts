import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runResultSchema } from "@speckit/orchestrator/contract";
import { makeSampleRemote } from "@speckit/orchestrator/sample-project";
import {
  checkRuns,
  eventually,
  type TempFolder,
  tempFolder,
  testBroker,
  testDatabase,
} from "@speckit/testkit";
import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { plainClient } from "./plain-client.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

const database = await testDatabase();
const broker = testBroker();

let folder: TempFolder;

const start = (name: string, env: Record<string, string> = {}): Promise<WorkerProcess> =>
  startWorkerProcess({
    env: { SPECKIT_SESSION_LOCK: "off", ...env },
    databaseUrl: database.url,
    amqpUrl: broker.url,
    prefix: broker.prefix,
    stateDir: join(folder.path, name),
  });

beforeAll(async () => {
  folder = await tempFolder("session-lock-off");
});

afterAll(async () => {
  expect(await checkRuns(database.url)).toEqual([]);
  await folder[Symbol.asyncDispose]();
});

test("without session locks a killed worker's run is finished all the same, by its lease and the sweeper", async () => {
  const startsPath = join(folder.path, "starts.log");
  const remote = await makeSampleRemote(folder.path, {
    ".scripted-agent.json": JSON.stringify({
      specify: { appendTo: startsPath },
      plan: [
        { appendTo: startsPath, sleepMs: 120_000, onlyAttempts: [1] },
        { appendTo: startsPath },
      ],
      tasks: { appendTo: startsPath },
    }),
  });
  const starts = async () =>
    (await readFile(startsPath, "utf8").catch(() => ""))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" ").slice(0, 2).join(" "));
  await using first = await start("first");
  await using client = await plainClient(broker.url, broker.prefix);
  const request = {
    schemaVersion: 1,
    repository: `file://${remote}`,
    specifyText: "Add a slow page",
    agent: { backend: "scripted" },
  };
  await client.publish(request, "killed");
  await eventually("plan has started", starts, (lines) => lines.includes("plan 1"), {
    withinMs: 40_000,
  });
  // Only the dead one's lease is short: a busy machine must not make this one lose its own.
  await using second = await start("second", { SPECKIT_LEASE_MS: "60000" });
  first.kill("SIGKILL");
  const answer = await eventually("the reply", () => client.answers[0], Boolean, {
    withinMs: 80_000,
  });
  const result = runResultSchema.parse(answer?.body);
  expect(result.status).toBe("succeeded");

  // Nobody took it over from a living lease: the claim came after it had run out.
  const claims = client.events.filter(({ routingKey }) => routingKey === "run.claimed");
  expect(claims.map(({ body }) => body.data)).toEqual([expect.objectContaining({ epoch: 2 })]);
  expect(claims[0]?.body.data).not.toHaveProperty("tookOverFrom");
  expect(await starts()).toEqual(["specify 1", "plan 1", "plan 2", "tasks 1"]);

  const sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
  onTestFinished(() => sql.end());
  const { rows } = await sql.query(
    `SELECT (SELECT count(*)::int FROM spec_workflow_workers) AS workers,
       (SELECT count(*)::int FROM spec_workflow_workers WHERE pg_started_at IS NOT NULL) AS held,
       (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()
          AND application_name LIKE 'speckit worker %') AS sessions`,
  );
  expect(rows).toEqual([{ workers: 2, held: 0, sessions: 0 }]);
  await eventually(
    "the run is closed",
    async () => {
      const { rows: open } = await sql.query(
        "SELECT 1 FROM spec_workflow_runs WHERE cleaned_at IS NULL",
      );
      return open.length;
    },
    (open) => open === 0,
    { withinMs: 40_000 },
  );
  second.kill("SIGTERM");
  expect((await second.result).exitCode).toBe(0);
}, 450_000);
