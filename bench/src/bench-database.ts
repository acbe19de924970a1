import { randomBytes } from "node:crypto";
import { migrateDatabase } from "@speckit/orchestrator/node";
import pg from "pg";

/** A database of its own for one measurement, so that none finds the rows of another. */
export interface BenchDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
}

export async function benchDatabase(serverUrl: string): Promise<BenchDatabase> {
  const name = `speckit_bench_${randomBytes(6).toString("hex")}`;
  await statement(serverUrl, `CREATE DATABASE ${name}`);
  const url = urlOf(serverUrl, name);
  await migrateDatabase(url);
  return {
    url,
    name,
    async [Symbol.asyncDispose]() {
      await statement(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** Runs one statement on a connection of its own. */
export async function statement<Row extends object = Record<string, unknown>>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows as Row[];
  } finally {
    await client.end();
  }
}

/** The same server's other database; a Unix socket's folder stands in the query, so the path is free. */
function urlOf(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
