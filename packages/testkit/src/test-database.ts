import { randomBytes } from "node:crypto";
import { afterAll, inject } from "vitest";
import { databaseUrl, statement } from "./database-statement.ts";

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
}

/**
 * A database for one test file, with the newest schema, dropped after its last test.
 *
 * Call it at the top of the file: `const database = await testDatabase()`. It is a copy of the
 * template that the global setup has migrated once, which takes some 50 ms.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const serverUrl = inject("databaseUrl");
  const name = `speckit_test_${randomBytes(6).toString("hex")}`;
  await statement(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${inject("databaseTemplate")}`);
  // Clients that a failed test has left open do not keep it.
  afterAll(() => statement(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`));
  return { url: databaseUrl(serverUrl, name), name };
}
