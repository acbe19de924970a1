import type pg from "pg";
import { type Diagnosis, fine, problem } from "../../../ports/diagnosis.ts";
import { openSession } from "./open-session.ts";

/**
 * Whether a second URL leads to the same database. A worker writes its row through it: in another
 * database that would be somebody else's.
 */
export async function lookAtDirectUrl(
  client: pg.Client,
  directConnectionString: string,
): Promise<readonly Diagnosis[]> {
  const direct = await openSession(directConnectionString);
  try {
    const [ours, theirs] = [await identityOf(client), await identityOf(direct)];
    return [
      ours.server === theirs.server && ours.database === theirs.database
        ? fine("database.direct-url", "leads to the same database")
        : problem(
            "database.direct-url",
            `DATABASE_URL leads to ${ours.name}, DATABASE_DIRECT_URL to ${theirs.name}, which is another ${ours.server === theirs.server ? "database" : "server's"}`,
          ),
    ];
  } finally {
    await direct.end().catch(() => undefined);
  }
}

interface Identity {
  /** Two servers that were started in the same microsecond would be taken for one. */
  readonly server: string;
  readonly database: string;
  readonly name: string;
}

async function identityOf(client: pg.Client): Promise<Identity> {
  const { rows } = await client.query<Identity>(`
    SELECT extract(epoch FROM pg_postmaster_start_time())::text AS server, oid::text AS database, datname AS name
    FROM pg_database WHERE datname = current_database()`);
  const [identity] = rows;
  if (identity === undefined) {
    throw new Error("the database has no row of its own");
  }
  return identity;
}
