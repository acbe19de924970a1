import { eventually, testDatabase } from "@speckit/testkit";
import { afterAll, expect, test } from "vitest";
import { postgresRunRepository } from "../../../src/adapters/postgres/index.ts";
import { LEASE_MS, newRun } from "../../../src/testing/run-repository/subject.ts";
import { sqlClient } from "./sql-client.ts";

const database = await testDatabase();
const sql = await sqlClient(database.url);
const runs = postgresRunRepository({ connectionString: database.url, artifactRetentionMs: 1 });

afterAll(async () => {
  await runs[Symbol.asyncDispose]();
  await sql[Symbol.asyncDispose]();
});

/** Worker ids begin anew in every database, and test files share a server. */
const SESSION =
  "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1";
const nameOf = (workerId: number) => `speckit worker ${workerId}`;

async function ownedRun() {
  const [owner, other] = [await runs.registerWorker("owner"), await runs.registerWorker("other")];
  const run = newRun();
  await runs.insertRun(run);
  const session = await runs.holdSession(owner);
  await runs.claimRun({ runId: run.runId, workerId: owner, leaseMs: LEASE_MS });
  const redelivered = { runId: run.runId, workerId: other, leaseMs: LEASE_MS, isRedelivered: true };
  return { owner, session, claim: () => runs.claimRun(redelivered) };
}

test("a session whose connection is cut is taken again by itself", async () => {
  const { owner, session, claim } = await ownedRun();
  const [before] = await sql.query(SESSION, [nameOf(owner)]);
  await sql.query(`SELECT pg_terminate_backend(pid) FROM (${SESSION}) AS session`, [nameOf(owner)]);
  await eventually(
    "another session holds the lock",
    () =>
      sql.query(
        `${SESSION} AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_stat_activity.pid AND l.locktype = 'advisory' AND l.granted)`,
        [nameOf(owner)],
      ),
    (rows) => rows.length === 1 && JSON.stringify(rows[0]) !== JSON.stringify(before),
  );
  expect(await claim()).toMatchObject({ claimed: false, because: "its owner may be dead" });
  await session[Symbol.asyncDispose]();
});

test("after a restart of the server nothing is known of a session that was held before", async () => {
  const { owner, session, claim } = await ownedRun();
  await session[Symbol.asyncDispose]();
  await sql.query(
    "UPDATE spec_workflow_workers SET pg_started_at = pg_started_at - interval '1 hour' WHERE id = $1",
    [owner],
  );
  expect(await claim()).toMatchObject({ claimed: false, because: "its owner may be dead" });
});

test("a probe leaves no lock behind", async () => {
  const { session, claim } = await ownedRun();
  await session[Symbol.asyncDispose]();
  expect(await claim()).toMatchObject({ claimed: true });
  const locks = await sql.query(
    "SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    [],
  );
  expect(locks).toEqual([{ held: 0 }]);
});
