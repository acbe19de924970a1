import pg from "pg";

export interface SqlClient extends AsyncDisposable {
  readonly query: (
    sql: string,
    values?: readonly unknown[],
  ) => Promise<readonly Record<string, unknown>[]>;
}

/** One connection beside the adapter's own, for what no port shows. */
export async function sqlClient(url: string): Promise<SqlClient> {
  const client = new pg.Client({ connectionString: url });
  // A server that a test stops ends this connection too; the next query tells.
  client.on("error", () => undefined);
  await client.connect();
  return {
    query: async (sql, values = []) => (await client.query(sql, [...values])).rows,
    [Symbol.asyncDispose]: () => client.end(),
  };
}
