import { setTimeout as delay } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { translateDatabaseError } from "../database-errors.ts";
import { openDatabase } from "../open-database.ts";
import type { Database } from "../schema.ts";
import { checkProgram } from "./check-program.ts";
import { sqlFiles } from "./sql-files.ts";

export interface MigrationReport {
  /** Names of the migrations this call has applied, in order. */
  readonly applied: readonly string[];
}

/** Has a row for each migration that was applied. */
export const MIGRATIONS_TABLE = "spec_workflow_migrations";
const UNDEFINED_TABLE = "42P01";
const LOCK_NOT_AVAILABLE = "55P03";
/** With the two seconds that each waits for a lock: about a minute. */
const TRIES = 20;
const BETWEEN_TRIES_MS = 1_000;
/** An index on a table of a year's events takes its time. */
const STATEMENT_TIMEOUT_MS = 1_800_000;

/**
 * Brings a database to the newest schema that this program knows. Safe to race: the migrator holds an
 * advisory lock, so of two callers one applies and the other finds nothing to do. Each call applies all
 * or nothing. Runs may be in flight: where somebody holds a lock that a statement needs, it is tried again.
 *
 * A database that is newer is left as it is, while it says that this program may work with it: workers of
 * two versions live side by side during an upgrade.
 *
 * @throws SpeckitError `DATABASE_UNAVAILABLE` (also: locks were held for too long), `SERVICE_REFUSED`,
 * `DATABASE_TOO_NEW`; a failed statement as it came
 */
export async function migrateDatabase(connectionString: string): Promise<MigrationReport> {
  const database = openDatabase({
    connectionString,
    maxConnections: 2,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  try {
    const known = await sqlFiles();
    const applied = await untilUnlocked(() => applyMissing(database, known));
    await checkProgram(database, Object.keys(known));
    return { applied };
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    await database.destroy();
  }
}

async function applyMissing(
  database: Kysely<Database>,
  known: Readonly<Record<string, Migration>>,
): Promise<readonly string[]> {
  const migrator = new Migrator({
    // A migration is SQL: the migrator needs no table types.
    db: database as unknown as Kysely<unknown>,
    provider: {
      // Asked for inside the lock. What a newer program has applied is nothing to do for this one.
      getMigrations: async () => ({ ...(await appliedByOthers(database)), ...known }),
    },
    migrationTableName: MIGRATIONS_TABLE,
    migrationLockTableName: "spec_workflow_migration_lock",
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) {
    throw error;
  }
  return (results ?? [])
    .filter((result) => result.status === "Success")
    .map((result) => result.migrationName);
}

async function appliedByOthers(
  database: Kysely<Database>,
): Promise<Readonly<Record<string, Migration>>> {
  try {
    const { rows } = await sql<{
      name: string;
    }>`SELECT name FROM ${sql.table(MIGRATIONS_TABLE)}`.execute(database);
    return Object.fromEntries(rows.map(({ name }) => [name, { up: async () => {} }]));
  } catch (error) {
    // The first call of all makes it, in a transaction that this connection does not see.
    if (codeOf(error) === UNDEFINED_TABLE) {
      return {};
    }
    throw error;
  }
}

async function untilUnlocked<T>(work: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== LOCK_NOT_AVAILABLE || tried === TRIES) {
        throw error;
      }
      await delay(BETWEEN_TRIES_MS);
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
