import { eventually, testDatabase } from "@speckit/testkit";
import { afterAll, expect, test } from "vitest";
import { postgresRunRepository } from "../../../src/adapters/postgres/index.ts";
import { LEASE_MS, newRun } from "../../../src/testing/run-repository/subject.ts";
import { recordingLogger } from "../rabbitmq/recording-logger.ts";
import { sqlClient } from "./sql-client.ts";
import { transactionPooler } from "./transaction-pooler.ts";

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

const LOCKS_OF =
  "SELECT count(*)::int AS held FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
const SAYS_OF = "SELECT pg_started_at IS NOT NULL AS held FROM spec_workflow_workers WHERE id = $1";

/** What is to be seen of a worker's session lock: in the locks, and in its row. */
async function lockOf(workerId: number) {
  const [[locks], [row]] = [
    await sql.query(LOCKS_OF, [workerId]),
    await sql.query(SAYS_OF, [workerId]),
  ];
  return { held: locks?.held, said: row?.held };
}

test.each([
  ["another session for each transaction", true, { sessions: 2, greeting: "true" }],
  ["one session, and a greeting of its own", true, { sessions: 1, greeting: "made up" }],
  ["one session, and its greeting", false, { sessions: 1, greeting: "true" }],
] as const)("a connection that gives %s: pooled is %s", async (_what, pooled, behaviour) => {
  await using pooler = await transactionPooler(database.url, behaviour);
  const { logger, lines } = recordingLogger();
  await using by = postgresRunRepository({
    connectionString: database.url,
    directConnectionString: pooler.url,
    artifactRetentionMs: 1,
    logger,
  });
  const workerId = await by.registerWorker("pooled");
  await using _session = await by.holdSession(workerId);
  expect(await lockOf(workerId)).toEqual(
    pooled ? { held: 0, said: false } : { held: 1, said: true },
  );
  expect(lines.map(({ message }) => message).join()).toContain(
    pooled ? "set DATABASE_DIRECT_URL" : "worker session opened",
  );
});

test("the server gives up a host that has vanished in half a minute: the session says so itself", async () => {
  const { logger, lines } = recordingLogger();
  await using by = postgresRunRepository({
    connectionString: database.url,
    artifactRetentionMs: 1,
    logger,
  });
  await using _session = await by.holdSession(await by.registerWorker("owner"));
  const opened = lines.find(({ message }) => message === "worker session opened");
  expect(opened?.fields).toEqual({
    tcp_keepalives_idle: "10",
    tcp_keepalives_interval: "5",
    tcp_keepalives_count: "3",
    tcp_user_timeout: "25000",
  });
});

test("a session that is switched off opens no connection and says nothing of its worker", async () => {
  await using by = postgresRunRepository({
    connectionString: database.url,
    artifactRetentionMs: 1,
    sessionLock: false,
  });
  const owner = await by.registerWorker("owner");
  const { runId, ...run } = newRun();
  await by.insertRun({ runId, ...run });
  const session = await by.holdSession(owner);
  await by.claimRun({ runId, workerId: owner, leaseMs: LEASE_MS });
  expect(await sql.query(SESSION, [nameOf(owner)])).toEqual([]);
  expect(await lockOf(owner)).toEqual({ held: 0, said: false });
  await session[Symbol.asyncDispose]();
  // A worker whose own session is on learns nothing of it either: the lease is waited for.
  const other = await runs.registerWorker("other");
  const redelivered = { runId, workerId: other, leaseMs: LEASE_MS, isRedelivered: true };
  expect(await runs.claimRun(redelivered)).toMatchObject({ because: "its owner may be dead" });
  await sql.query(
    "UPDATE spec_workflow_runs SET lease_until = clock_timestamp() - interval '1 s' WHERE id = $1",
    [runId],
  );
  expect(await runs.claimRun(redelivered)).toMatchObject({ claimed: true, run: { epoch: 2 } });
});
