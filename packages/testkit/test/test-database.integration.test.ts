import pg from "pg";
import { afterAll, describe, expect, inject, test } from "vitest";
import { databaseUrl, statement } from "../src/database-statement.ts";
import { testDatabase } from "../src/test-database.ts";

// Hooks run last to first: this one after the database was dropped.
afterAll(async () => {
  await expect(statement(database.url, "SELECT 1")).rejects.toMatchObject({ code: "3D000" });
});
const database = await testDatabase();
const other = await testDatabase();

async function rows(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("a test file's database", () => {
  test("has the newest schema", async () => {
    expect(
      await rows(database.url, "SELECT count(*)::int AS runs FROM spec_workflow_runs"),
    ).toEqual([{ runs: 0 }]);
  });

  test("is its own", async () => {
    await statement(database.url, "CREATE TABLE mine (id int)");
    await expect(statement(other.url, "SELECT * FROM mine")).rejects.toMatchObject({
      code: "42P01",
    });
    const template = databaseUrl(inject("databaseUrl"), inject("databaseTemplate"));
    await expect(statement(template, "SELECT * FROM mine")).rejects.toMatchObject({
      code: "42P01",
    });
  });
});
