import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Kysely, sql } from "kysely";
import { type Migration, type MigrationProvider, Migrator } from "kysely/migration";
import { translateDatabaseError } from "./database-errors.ts";
import { openDatabase } from "./open-database.ts";

/** Where the SQL files can be: the package brings them along, in the repository they stand at the top. */
const MIGRATIONS_FOLDERS = ["../../../migrations", "../../../../../migrations"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** Has a row for each migration that was applied. */
export const MIGRATIONS_TABLE = "spec_workflow_migrations";

export interface MigrationReport {
  /** Names of the migrations this call has applied, in order. */
  readonly applied: readonly string[];
}

/**
 * Brings a database to the newest schema. Safe to race: the migrator holds an advisory lock, so of
 * two callers one applies and the other finds nothing to do. Each call applies all or nothing.
 *
 * @throws SpeckitError `DATABASE_UNAVAILABLE` or `SERVICE_REFUSED`; a failed statement as it came
 */
export async function migrateDatabase(connectionString: string): Promise<MigrationReport> {
  const database = openDatabase({ connectionString, maxConnections: 2 });
  try {
    const migrator = new Migrator({
      // A migration is SQL: the migrator needs no table types.
      db: database as unknown as Kysely<unknown>,
      provider: sqlFiles(migrationsFolder()),
      migrationTableName: MIGRATIONS_TABLE,
      migrationLockTableName: "spec_workflow_migration_lock",
    });
    const { error, results } = await migrator.migrateToLatest();
    if (error !== undefined) {
      throw error;
    }
    return {
      applied: (results ?? [])
        .filter((result) => result.status === "Success")
        .map((result) => result.migrationName),
    };
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    await database.destroy();
  }
}

/** Of all migrations that this program knows, in order. */
export async function migrationNames(): Promise<readonly string[]> {
  return Object.keys(await sqlFiles(migrationsFolder()).getMigrations());
}

function migrationsFolder(): string {
  const folder = MIGRATIONS_FOLDERS.find((path) => existsSync(path));
  if (folder === undefined) {
    throw new Error(`The migrations are missing: expected ${MIGRATIONS_FOLDERS.join(" or ")}`);
  }
  return folder;
}

/** One migration per `NNNN_name.sql`; a file is sent as it stands and there is no way down. */
function sqlFiles(folder: string): MigrationProvider {
  return {
    async getMigrations(): Promise<Record<string, Migration>> {
      const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
      const entries = names.map(async (name): Promise<[string, Migration]> => {
        const text = await readFile(join(folder, name), "utf8");
        return [
          name.slice(0, -".sql".length),
          {
            async up(db) {
              await sql.raw(text).execute(db);
            },
          },
        ];
      });
      return Object.fromEntries(await Promise.all(entries));
    },
  };
}
