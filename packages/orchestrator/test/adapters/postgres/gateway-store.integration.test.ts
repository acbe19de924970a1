import { randomUUID } from "node:crypto";
import { testDatabase } from "@speckit/testkit";
import { afterAll, describe, expect, test } from "vitest";
import {
  postgresGatewayStore,
  postgresRunRepository,
} from "../../../src/adapters/postgres/index.ts";
import { describeAttemptAuthority } from "../../../src/testing/attempt-authority-contract.ts";
import { describeCredentialRepository } from "../../../src/testing/credential-repository-contract.ts";
import { describeEgressRepository } from "../../../src/testing/egress-repository-contract.ts";
import { describeModelCallRepository } from "../../../src/testing/model-call-repository-contract.ts";
import { gatewayRole } from "./gateway-role.ts";
import { placedAttempts } from "./placed-attempts.ts";
import { postgresSubject } from "./postgres-subject.ts";
import { sqlClient } from "./sql-client.ts";

const database = await testDatabase();
const sql = await sqlClient(database.url);
const role = await gatewayRole(sql, database.url);
afterAll(async () => {
  await role[Symbol.asyncDispose]();
  await sql[Symbol.asyncDispose]();
});
const attempts = placedAttempts(sql);

describeAttemptAuthority("postgres, by a role that can do nothing else", async () => {
  const store = postgresGatewayStore({ connectionString: role.url });
  return {
    ...attempts,
    authority: store.authority,
    async attempt({ container } = { container: true }) {
      const tokenKey = `key ${randomUUID()}`;
      return { ...(await attempts.place(container ? tokenKey : null)), tokenKey };
    },
    async heardAgoMs({ runId }) {
      const [row] = await sql.query(
        `SELECT (extract(epoch FROM clock_timestamp() - heard_at) * 1000)::float8 AS ago
         FROM spec_workflow_task_states WHERE run_id = $1`,
        [runId],
      );
      return row?.ago as number | null;
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
});

describeCredentialRepository("postgres, by the gateway's functions", async () => {
  const subject = await postgresSubject(database.url)();
  const store = postgresGatewayStore({ connectionString: role.url });
  return {
    credentials: store.credentials,
    passTime: subject.passTime,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await subject[Symbol.asyncDispose]();
    },
  };
});

describeModelCallRepository("postgres, as a gateway records them", async () => {
  const store = postgresGatewayStore({ connectionString: role.url });
  const runs = postgresRunRepository({
    connectionString: database.url,
    artifactRetentionMs: 604_800_000,
  });
  return {
    modelCalls: runs.modelCalls,
    attempt: () => attempts.place("key"),
    async record(attempt, calls) {
      for (const call of calls) {
        await store.authority.recordCall(attempt, randomUUID(), call);
      }
    },
    async hear(attempt) {
      await store.authority.liveAttempts([{ ...attempt, heardAgoMs: 0 }]);
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await runs[Symbol.asyncDispose]();
    },
  };
});

describeEgressRepository("postgres, as a gateway records it", async () => {
  const store = postgresGatewayStore({ connectionString: role.url });
  const runs = postgresRunRepository({
    connectionString: database.url,
    artifactRetentionMs: 604_800_000,
  });
  return {
    egress: runs.egress,
    journal: store.egress,
    attempt: ({ container } = { container: true }) => attempts.place(container ? "key" : null),
    closeAttempt: attempts.closeAttempt,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await runs[Symbol.asyncDispose]();
    },
  };
});

describe("the gateway's role", () => {
  test("can read and write no table, and use no sequence", async () => {
    const relations = await sql.query(
      `SELECT relname AS name, relkind AS kind FROM pg_class
       WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')`,
    );
    expect(relations.length).toBeGreaterThan(14);
    await using client = await sqlClient(role.url);
    const refused = { code: "42501" };
    for (const { name, kind } of relations) {
      await expect(client.query(`SELECT * FROM ${name}`), String(name)).rejects.toMatchObject(
        refused,
      );
      if (kind !== "S") {
        await expect(client.query(`DELETE FROM ${name}`)).rejects.toMatchObject(refused);
      }
    }
  });

  test("can call each function that is made for it", async () => {
    await using client = await sqlClient(role.url);
    const calls: Readonly<Record<string, readonly unknown[]>> = {
      deployment: [],
      use_start_ticket: [randomUUID(), "plan", 1],
      live_attempts: ["[]"],
      record_call: [randomUUID(), "plan", 1, randomUUID(), "{}"],
      record_egress: [randomUUID(), "plan", 1, randomUUID(), "[]"],
      cooling_for: ["codex"],
      cool_down: ["other", 1, "quota"],
    };
    const functions = await sql.query(
      "SELECT proname AS name FROM pg_proc WHERE proname LIKE 'spec\\_workflow\\_gateway\\_%'",
    );
    expect(functions.map(({ name }) => name).sort()).toEqual(
      Object.keys(calls)
        .map((name) => `spec_workflow_gateway_${name}`)
        .sort(),
    );
    for (const [name, values] of Object.entries(calls)) {
      const places = values.map((_, ix) => `$${ix + 1}`);
      await client.query(`SELECT * FROM spec_workflow_gateway_${name}(${places})`, values);
    }
  });

  test("is not everybody: another login role can call none of them", async () => {
    const name = `speckit_test_${randomUUID().slice(0, 8)}`;
    await sql.query(`CREATE ROLE ${name} LOGIN PASSWORD '${name}'`);
    try {
      const url = new URL(database.url);
      url.username = name;
      url.password = name;
      await using client = await sqlClient(url.href);
      await expect(
        client.query("SELECT spec_workflow_gateway_cool_down('codex', 1e9, 'quota')"),
      ).rejects.toMatchObject({ code: "42501" });
    } finally {
      await sql.query(`DROP ROLE ${name}`);
    }
  });

  test("can be put on by a superuser, who then reads no table by mistake", async () => {
    const url = new URL(database.url);
    url.searchParams.set("options", "-c role=speckit_gateway");
    const narrow = url.href.replaceAll("+", "%20");
    await using store = postgresGatewayStore({ connectionString: narrow });
    expect(await store.deploymentId()).toMatch(/^[0-9a-f-]{36}$/);
    await using client = await sqlClient(narrow);
    await expect(client.query("SELECT FROM spec_workflow_runs")).rejects.toMatchObject({
      code: "42501",
    });
  });

  test("asks our tables, also where a caller has put others of the same name in the way", async () => {
    await using client = await sqlClient(role.url);
    await client.query("CREATE TEMPORARY TABLE spec_workflow_deployment (id uuid)");
    await client.query("SET search_path = pg_temp, public");
    const [ours] = await sql.query("SELECT id FROM spec_workflow_deployment");
    expect(await client.query("SELECT spec_workflow_gateway_deployment() AS id")).toEqual([ours]);
  });
});

describe("a question about attempts", () => {
  test("does not wait for whoever holds an attempt's row, and notes next time what was heard", async () => {
    const attempt = await attempts.place("key");
    await using store = postgresGatewayStore({ connectionString: role.url });
    await using owner = await sqlClient(database.url);
    await owner.query("BEGIN");
    await owner.query("SELECT FROM spec_workflow_task_states WHERE run_id = $1 FOR UPDATE", [
      attempt.runId,
    ]);
    const heard = { ...attempt, heardAgoMs: 0 };
    expect(await store.authority.liveAttempts([heard])).toHaveLength(1);
    await owner.query("ROLLBACK");
    const noted = () =>
      sql.query(
        `SELECT FROM spec_workflow_task_states WHERE run_id = $1 AND heard_at IS NOT NULL`,
        [attempt.runId],
      );
    expect(await noted()).toHaveLength(0);
    await store.authority.liveAttempts([heard]);
    expect(await noted()).toHaveLength(1);
  });

  test("of a database that is away is told as such within seconds", async () => {
    await using store = postgresGatewayStore({
      connectionString: "postgres://nobody@127.0.0.1:1/none",
    });
    await expect(store.authority.liveAttempts([await attempts.place("key")])).rejects.toMatchObject(
      { code: "DATABASE_UNAVAILABLE" },
    );
  });
});
