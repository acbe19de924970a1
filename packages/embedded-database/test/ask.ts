import { Client } from "pg";

/** One statement in a session of its own; the first row. */
export async function ask(
  { connectionString }: { readonly connectionString: string },
  sql: string,
): Promise<Record<string, unknown>> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows[0] ?? {};
  } finally {
    await client.end();
  }
}
