import { randomUUID } from "node:crypto";
import {
  commitCuttingProxy,
  eventually,
  startPrivatePostgres,
  tcpProxy,
  testDatabase,
} from "@speckit/testkit";
import { sql as kyselySql } from "kysely";
import { describe, expect, test } from "vitest";
import { migrateDatabase, postgresRunRepository } from "../../../src/adapters/postgres/index.ts";
import { openDatabase } from "../../../src/adapters/postgres/open-database.ts";
import { owned, requestCancel } from "../../../src/testing/run-repository/subject.ts";
import { sqlClient } from "./sql-client.ts";

const database = await testDatabase();
const open = (connectionString: string) =>
  postgresRunRepository({ connectionString, artifactRetentionMs: 1_000 });

const AWAY = { code: "DATABASE_UNAVAILABLE", class: "transient" };
const LOCK = "SELECT id FROM spec_workflow_runs WHERE id = $1 FOR UPDATE";
const WAITING = `SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock'`;

describe("a database that goes away", () => {
  test("in the middle of a write: nothing is written, and the next write succeeds", async () => {
    await using runs = open(database.url);
    await using sql = await sqlClient(database.url);
    const { runId, hold } = await owned(runs);
    await sql.query("BEGIN");
    await sql.query(LOCK, [runId]);
    const write = runs.appendEvents(hold, [{ type: "phase.message" }]);
    const refused = expect(write).rejects.toMatchObject(AWAY);
    const [waiting] = await eventually(
      "the write waits for the row",
      () => sql.query(WAITING),
      (rows) => rows.length > 0,
    );
    await sql.query("SELECT pg_terminate_backend($1)", [waiting?.pid]);
    await refused;
    await sql.query("ROLLBACK");
    expect(await runs.eventsOf(runId, { afterSeq: 2, limit: 10 })).toEqual([]);
    await runs.appendEvents(hold, [{ type: "phase.message" }]);
    expect(await runs.eventsOf(runId, { afterSeq: 2, limit: 10 })).toHaveLength(1);
  });

  test("while nothing is asked of it: its lost connections cost nothing", async () => {
    await using runs = open(database.url);
    await using sql = await sqlClient(database.url);
    const { runId, hold } = await owned(runs);
    await runs.renewLeases([hold], 30_000);
    const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    expect((await sql.query(end)).length).toBeGreaterThan(1);
    const others = end.replace("pg_terminate_backend(pid)", "pid");
    await eventually(
      "they are gone",
      () => sql.query(others),
      (rows) => rows.length === 0,
    );
    await eventually("the repository answers", async () => {
      // Until the pool has heard of it a call may fail, but only in the one way a caller waits out.
      const found = await runs.findRun(runId).catch((error: unknown) => error);
      expect(found).toMatchObject(found instanceof Error ? AWAY : { runId });
      return !(found instanceof Error);
    });
    expect(await runs.renewLeases([hold], 30_000)).toHaveLength(1);
  });

  test("behind a cut network: every call fails in one way, until the network is back", async () => {
    await using proxy = await tcpProxy(database.url);
    await using runs = open(proxy.url);
    const { runId, hold, workerId } = await owned(runs);
    proxy.refuse();
    proxy.cut();
    const calls: readonly (() => Promise<unknown>)[] = [
      () => runs.findRun(runId),
      () => runs.listRuns({}),
      () => runs.startAttempt(hold, "prepare"),
      () => runs.commitAttempt(hold, { events: [] }),
      () => runs.useStartTicket(hold, "prepare", 1),
      () => runs.renewLeases([hold], 30_000),
      () => runs.touchWorker(workerId),
      () => runs.claimRun({ runId, workerId, leaseMs: 30_000 }),
      () => requestCancel(runs, runId, randomUUID()),
      () => runs.sweepRuns({ limit: 1, leaseMs: 30_000 }),
      () => runs.deploymentId(),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject(AWAY);
    }
    proxy.accept();
    expect(await runs.findRun(runId)).toMatchObject({ runId });
    expect(await runs.renewLeases([hold], 30_000)).toHaveLength(1);
  });

  test("with its connections half open: a heartbeat gives its own up, and comes through on a new one", async () => {
    await using proxy = await tcpProxy(database.url);
    await using runs = open(proxy.url);
    const { hold } = await owned(runs);
    await runs.renewLeases([hold], 30_000);
    proxy.freeze();
    await expect(runs.renewLeases([hold], 30_000)).rejects.toMatchObject(AWAY);
    expect(await runs.renewLeases([hold], 30_000)).toHaveLength(1);
    proxy.cut();
  });

  test.each(["unsent", "unanswered"] as const)(
    "at the commit of a worker's first look at the schema (%s): it is away like at any other time",
    async (cut) => {
      let commits = 0;
      await using proxy = await commitCuttingProxy(database.url, () => {
        commits += 1;
        return commits === 1 ? cut : undefined;
      });
      await expect(migrateDatabase(proxy.url)).rejects.toMatchObject(AWAY);
      expect(proxy.cuts()[cut]).toBe(1);
      expect(await migrateDatabase(proxy.url)).toEqual({ applied: [] });
    },
  );

  test("for good: its server is stopped", async () => {
    const server = await startPrivatePostgres();
    await using runs = open(server.url);
    await eventually(
      "it answers, without a schema",
      () => runs.findRun(randomUUID()).catch((error: { readonly code?: string }) => error.code),
      (code) => code === "42P01",
    );
    await server[Symbol.asyncDispose]();
    await expect(runs.findRun(randomUUID())).rejects.toMatchObject(AWAY);
  });
});

describe("a database that is there", () => {
  test("but has the run's row locked: a claim waits no longer than 2 s", async () => {
    await using runs = open(database.url);
    await using sql = await sqlClient(database.url);
    const { runId, workerId } = await owned(runs);
    await sql.query("BEGIN");
    await sql.query(LOCK, [runId]);
    const startedMs = performance.now();
    await expect(runs.claimRun({ runId, workerId, leaseMs: 1_000 })).rejects.toMatchObject(AWAY);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    await sql.query("ROLLBACK");
  });

  test("ends what a frozen worker has locked", async () => {
    const kysely = openDatabase({ connectionString: database.url });
    try {
      const { rows } = await kyselySql`SELECT setting::integer AS ms FROM pg_settings
        WHERE name IN ('idle_in_transaction_session_timeout', 'statement_timeout') ORDER BY name`.execute(
        kysely,
      );
      expect(rows).toEqual([{ ms: 10_000 }, { ms: 30_000 }]);
    } finally {
      await kysely.destroy();
    }
  });

  test("but refuses user, password or database: no waiting heals that", async () => {
    await using server = await startPrivatePostgres();
    await using sql = await eventually("it answers", () => sqlClient(server.url));
    await sql.query("SET password_encryption = 'scram-sha-256'");
    await sql.query("CREATE ROLE alice LOGIN PASSWORD 'right'");
    const [hba] = await sql.query("SHOW hba_file");
    await sql.query(
      `COPY (VALUES ('host all alice 127.0.0.1/32 scram-sha-256'), ('host all all 127.0.0.1/32 trust'))
       TO '${hba?.hba_file}'`,
    );
    await sql.query("SELECT pg_reload_conf()");
    const answer = async (credentials: string, name = "postgres") => {
      const url = new URL(server.url);
      await using runs = open(`postgres://${credentials}@${url.host}/${name}`);
      return await runs.deploymentId().catch((error: unknown) => error);
    };
    const refused = { code: "SERVICE_REFUSED", class: "permanent" };
    await eventually(
      "alice must give a password",
      () => answer("alice:wrong"),
      (error) => (error as { code?: string }).code === "SERVICE_REFUSED",
    );
    expect(await answer("alice")).toMatchObject(refused);
    expect(await answer("nobody-there")).toMatchObject(refused);
    expect(await answer("alice:right", "nowhere")).toMatchObject(refused);
    // The right one gets in, and finds no table.
    expect(await answer("alice:right")).toMatchObject({ code: "42P01" });
  });
});
