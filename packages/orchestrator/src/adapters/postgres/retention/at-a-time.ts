import { type Kysely, sql, type Transaction } from "kysely";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";

/** Names the lock among the deployment's; it means nothing. */
const LOCK_CLASS = 1_936_745_828;
const LOCK = 1;

/**
 * Runs a transaction of retention unless one runs already, in whatever process: the lock is the
 * database's and ends with the transaction, also where a pooler gives each another connection.
 *
 * @returns undefined when one runs already
 */
export async function oneAtATime<T>(
  database: Kysely<Database>,
  work: (trx: Transaction<Database>) => Promise<T>,
): Promise<T | undefined> {
  return inTransaction(database, async (trx) => {
    const { rows } = await sql<{ mine: boolean }>`
      SELECT pg_try_advisory_xact_lock(${LOCK_CLASS}::int, ${LOCK}::int) AS mine
    `.execute(trx);
    return rows[0]?.mine === true ? work(trx) : undefined;
  });
}
