import { seededRandom, testDatabase, testSeed } from "@speckit/testkit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { postgresRunRepository } from "../../../src/adapters/postgres/index.ts";
import { memoryDatabase } from "../../../src/testing/memory/index.ts";
import { memoryRunStatistics } from "../../../src/testing/memory/memory-run-statistics.ts";
import type { RunRows } from "../../../src/testing/memory/run-repository/rows.ts";
import { describeRunStatistics } from "../../../src/testing/run-statistics-contract.ts";
import { anyRun } from "../../any-run.ts";
import { type SqlClient, sqlClient } from "./sql-client.ts";
import { storeRows } from "./store-rows.ts";

const database = await testDatabase();
let sql: SqlClient;
let runs: ReturnType<typeof postgresRunRepository>;

beforeAll(async () => {
  sql = await sqlClient(database.url);
  runs = postgresRunRepository({ connectionString: database.url, artifactRetentionMs: 60_000 });
});

beforeEach(async () => {
  await sql.query("TRUNCATE spec_workflow_runs, spec_workflow_workers RESTART IDENTITY CASCADE");
  await sql.query("INSERT INTO spec_workflow_workers (hostname) VALUES ('host')");
});

afterAll(async () => {
  await runs[Symbol.asyncDispose]();
  await sql[Symbol.asyncDispose]();
});

describeRunStatistics("postgres", async () => ({
  statistics: runs.statistics,
  nowMs: Date.now,
  store: (rows) => storeRows(sql, rows),
  [Symbol.asyncDispose]: async () => undefined,
}));

/** Cost is a sum of fractions: its order may show in the last digit. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (name, part: unknown) =>
    name === "costUsd" ? Number(Number(part).toFixed(6)) : part,
  );

test("every number is what counting one by one comes to, for any runs, period, target and repository", async () => {
  const random = seededRandom(testSeed("run statistics"));
  const nowMs = Date.now();
  const stored: RunRows[] = Array.from({ length: 400 }, () => anyRun(random, nowMs));
  await storeRows(sql, stored);
  const memory = memoryDatabase({
    clock: { nowMs: () => nowMs },
    deploymentId: await runs.deploymentId(),
  });
  for (const { run, attempts } of stored) {
    memory.insert(run, [], undefined);
    memory.change(run.runId, (draft) => {
      draft.attempts = attempts;
    });
  }
  const counted = memoryRunStatistics(memory);
  const queries = [
    {},
    { repository: "owner/repository-1" },
    { repository: "owner/none" },
    { sinceMs: 3_600_000 * (1 + random.int(240)), targetMs: 60_000 * (1 + random.int(90)) },
  ];
  for (const query of queries) {
    const asked = { sinceMs: 7 * 86_400_000, targetMs: 1_200_000, ...query };
    const { asOf: _asOf, since: _since, ...found } = await runs.statistics.statistics(asked);
    const { asOf: _now, since: _from, ...expected } = await counted.statistics(asked);
    expect(rounded(found)).toEqual(rounded(expected));
  }
});
