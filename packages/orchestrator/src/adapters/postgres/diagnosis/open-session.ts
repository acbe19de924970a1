import pg from "pg";

const CONNECT_MS = 5_000;
const ANSWER_MS = 5_000;

/**
 * A connection for looking: it waits for nothing long, and is named in pg_stat_activity.
 *
 * @param parameters it is opened with; nothing is set later, since behind a pooler that would stay for others
 */
export async function openSession(
  connectionString: string,
  parameters: Pick<
    pg.ClientConfig,
    "statement_timeout" | "idle_in_transaction_session_timeout"
  > = {},
): Promise<pg.Client> {
  const client = new pg.Client({
    ...parameters,
    connectionString,
    application_name: "speckit doctor",
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
