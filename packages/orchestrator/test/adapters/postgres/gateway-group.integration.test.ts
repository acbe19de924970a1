import { type PrivatePostgres, startPrivatePostgres } from "@speckit/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrateDatabase, postgresGatewayStore } from "../../../src/adapters/postgres/index.ts";
import { gatewayRole } from "./gateway-role.ts";
import { sqlClient } from "./sql-client.ts";

// A server of its own: roles belong to the whole server.
let server: PrivatePostgres;
beforeEach(async () => {
  server = await startPrivatePostgres();
});
afterEach(() => server[Symbol.asyncDispose]());

function urlOf(name: string, user = "postgres"): string {
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  url.username = user;
  return url.href;
}

test("of databases of one server that are migrated at once, one makes the role and all have it", async () => {
  await using sql = await sqlClient(server.url);
  const names = Array.from({ length: 4 }, (_, ix) => `many_${ix}`);
  for (const name of names) {
    await sql.query(`CREATE DATABASE ${name}`);
  }
  await Promise.all(names.map((name) => migrateDatabase(urlOf(name))));
  for (const name of names) {
    await using role = await gatewayRole(sql, urlOf(name));
    await using store = postgresGatewayStore({ connectionString: role.url });
    expect(await store.deploymentId()).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test("whoever may make no role migrates all the same, and an administrator does the rest", async () => {
  await using sql = await sqlClient(server.url);
  await sql.query("CREATE ROLE plain LOGIN");
  await sql.query("CREATE DATABASE plain OWNER plain");
  await migrateDatabase(urlOf("plain", "plain"));
  expect(await sql.query("SELECT FROM pg_roles WHERE rolname = 'speckit_gateway'")).toEqual([]);
  await using admin = await sqlClient(urlOf("plain"));
  // As docs/gateway.md has it.
  await admin.query("CREATE ROLE speckit_gateway NOLOGIN");
  await admin.query("GRANT USAGE ON SCHEMA public TO speckit_gateway");
  await admin.query(`GRANT EXECUTE ON FUNCTION
    spec_workflow_gateway_deployment, spec_workflow_gateway_use_start_ticket,
    spec_workflow_gateway_live_attempts, spec_workflow_gateway_record_call,
    spec_workflow_gateway_cooling_for, spec_workflow_gateway_cool_down
    TO speckit_gateway`);
  await using role = await gatewayRole(admin, urlOf("plain"));
  await using store = postgresGatewayStore({ connectionString: role.url });
  expect(await store.authority.liveAttempts([{ runId: "x", phase: "plan", attempt: 1 }])).toEqual(
    [],
  );
  expect(await store.credentials.coolingForMs("codex")).toBe(0);
  expect(await store.deploymentId()).toMatch(/^[0-9a-f-]{36}$/);
});
