import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { testDatabase } from "@speckit/testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { migrateDatabase } from "../../../src/adapters/postgres/index.ts";
import { sqlClient } from "./sql-client.ts";

const database = await testDatabase();

const ADAPTER = new URL("../../../src/adapters/postgres/index.ts", import.meta.url).href;
const MIGRATIONS = fileURLToPath(new URL("../../../../../migrations", import.meta.url));

/** Every column, constraint, index and trigger. */
const SCHEMA = `
  SELECT table_name || '.' || column_name || ' ' || data_type AS line
    FROM information_schema.columns WHERE table_schema = 'public'
  UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
  UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
  ORDER BY line`;

async function applied(): Promise<readonly string[]> {
  return (await readdir(MIGRATIONS))
    .filter((name) => name.endsWith(".sql"))
    .map((name) => name.slice(0, -".sql".length))
    .sort();
}

describe("migrateDatabase", () => {
  beforeEach(async () => {
    await using sql = await sqlClient(database.url);
    await sql.query("DROP SCHEMA public CASCADE");
    await sql.query("CREATE SCHEMA public");
  });

  test("brings an empty database to the newest schema; a second time there is nothing to do", async () => {
    await using sql = await sqlClient(database.url);
    expect(await migrateDatabase(database.url)).toEqual({ applied: await applied() });
    const schema = await sql.query(SCHEMA);
    const [deployment] = await sql.query("SELECT * FROM spec_workflow_deployment");
    expect(schema.length).toBeGreaterThan(50);
    expect(await migrateDatabase(database.url)).toEqual({ applied: [] });
    expect(await sql.query(SCHEMA)).toEqual(schema);
    expect(await sql.query("SELECT * FROM spec_workflow_deployment")).toEqual([deployment]);
  });

  test("of 6 processes at once, one applies and the others find nothing to do", async () => {
    const program = `
      import { migrateDatabase } from ${JSON.stringify(ADAPTER)};
      console.log(JSON.stringify(await migrateDatabase(process.env.DATABASE_URL)));`;
    const env = { ...process.env, DATABASE_URL: database.url };
    const outputs = await Promise.all(
      Array.from({ length: 6 }, () =>
        promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { env }),
      ),
    );
    const reports = outputs.map(({ stdout }) => JSON.parse(stdout).applied.length).sort();
    expect(reports).toEqual([0, 0, 0, 0, 0, (await applied()).length]);
    await using sql = await sqlClient(database.url);
    expect(await sql.query("SELECT id FROM spec_workflow_deployment")).toHaveLength(1);
  });

  test("of 10 calls in one process at once, one applies", async () => {
    const reports = await Promise.all(
      Array.from({ length: 10 }, () => migrateDatabase(database.url)),
    );
    expect(reports.flatMap((report) => report.applied)).toEqual(await applied());
  });

  test("applies all or nothing", async () => {
    await using sql = await sqlClient(database.url);
    // In the way of the last statement of the first migration.
    await sql.query("CREATE TABLE spec_workflow_commands (id integer)");
    const before = await sql.query(
      "SELECT relname FROM pg_class WHERE relname LIKE 'spec_workflow_runs%'",
    );
    await expect(migrateDatabase(database.url)).rejects.toMatchObject({ code: "42P07" });
    expect(
      await sql.query("SELECT relname FROM pg_class WHERE relname LIKE 'spec_workflow_runs%'"),
    ).toEqual(before);
    await sql.query("DROP TABLE spec_workflow_commands");
    expect((await migrateDatabase(database.url)).applied).toEqual(await applied());
  });

  test("waits for a lock that somebody's long reading holds, and lets others pass meanwhile", async () => {
    await using sql = await sqlClient(database.url);
    await migrateDatabase(database.url);
    await sql.query("DELETE FROM spec_workflow_migrations WHERE name = '0011_oldest_program'");
    await sql.query("ALTER TABLE spec_workflow_deployment DROP COLUMN oldest_program");
    await using reader = await sqlClient(database.url);
    await reader.query("BEGIN");
    await reader.query("SELECT * FROM spec_workflow_deployment");
    const migrating = migrateDatabase(database.url);
    const waiting = "SELECT pid FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
    await expect.poll(() => sql.query(waiting), { timeout: 20_000 }).toHaveLength(1);
    // It would wait behind the migration for as long as that one waits: but that is short.
    expect(await sql.query("SELECT id FROM spec_workflow_deployment")).toHaveLength(1);
    await reader.query("COMMIT");
    expect(await migrating).toEqual({ applied: ["0011_oldest_program"] });
  });

  test("leaves a newer schema as it is, unless that says that it needs a newer program", async () => {
    await using sql = await sqlClient(database.url);
    await migrateDatabase(database.url);
    await sql.query(
      "INSERT INTO spec_workflow_migrations VALUES ('9998_of_the_next_version', now())",
    );
    const schema = await sql.query(SCHEMA);
    expect(await migrateDatabase(database.url)).toEqual({ applied: [] });
    expect(await sql.query(SCHEMA)).toEqual(schema);
    await sql.query("UPDATE spec_workflow_deployment SET oldest_program = 9998");
    await expect(migrateDatabase(database.url)).rejects.toMatchObject({
      code: "DATABASE_TOO_NEW",
      message: expect.stringContaining("9998"),
    });
  });

  test("leaves no connection behind, whatever comes of it", async () => {
    await using sql = await sqlClient(database.url);
    await migrateDatabase(database.url);
    await sql.query("DROP TABLE spec_workflow_migrations");
    await expect(migrateDatabase(database.url)).rejects.toThrow();
    const others =
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    await expect.poll(() => sql.query(others)).toEqual([]);
  });
});
