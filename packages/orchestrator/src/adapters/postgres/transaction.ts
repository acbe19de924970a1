import type { Kysely, Transaction } from "kysely";
import { translateDatabaseError } from "./database-errors.ts";
import type { Database } from "./schema.ts";

/** A connection pool or an open transaction: where a single statement may run. */
export type Queryable = Kysely<Database>;

/** Runs one transaction and translates what it throws. Nothing inside may use the pool itself. */
export async function inTransaction<T>(
  database: Kysely<Database>,
  work: (trx: Transaction<Database>) => Promise<T>,
): Promise<T> {
  try {
    return await database.transaction().execute(work);
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

/** Runs one statement outside a transaction and translates what it throws. */
export async function inStatement<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateDatabaseError(error);
  }
}
