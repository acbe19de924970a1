import pg from "pg";

/** Rows of one query on a connection of its own: what a test believes of the database. */
export async function rowsOf<T extends object>(
  databaseUrl: string,
  query: string,
  values: readonly unknown[] = [],
): Promise<readonly T[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  // A server that is ended under us is told by the query, not by the end of this process.
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<T>(query, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** Holds the locks that one statement takes, until disposed: others wait for them meanwhile. */
export async function holdLocks(
  databaseUrl: string,
  statement: string,
  values: readonly unknown[] = [],
): Promise<AsyncDisposable> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("BEGIN");
  await client.query(statement, [...values]);
  return {
    async [Symbol.asyncDispose]() {
      await client.query("ROLLBACK");
      await client.end();
    },
  };
}
