import pg from "pg";

/** Rows of one query on a connection of its own: what the oracle believes of the database. */
export async function rowsOf<T extends object>(
  databaseUrl: string,
  query: string,
): Promise<readonly T[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<T>(query)).rows;
  } finally {
    await client.end();
  }
}
