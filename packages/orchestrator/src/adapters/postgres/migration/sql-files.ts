import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Where the SQL files can be: the package brings them along, in the repository they stand at the top. */
const FOLDERS = ["../../../../migrations", "../../../../../../migrations"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/**
 * How long a statement of a migration waits for a lock. While it waits for somebody's long reading (a
 * backup, say), everybody else waits behind it: it gives up soon, and is tried again.
 */
const LOCK_TIMEOUT = "2s";

/** The migrations this program knows, one per `NNNN_name.sql`; a file is sent as it stands and there is no way down. */
export async function sqlFiles(): Promise<Readonly<Record<string, Migration>>> {
  const folder = migrationsFolder();
  const files = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const entries = files.map(async (file): Promise<[string, Migration]> => {
    const text = await readFile(join(folder, file), "utf8");
    return [file.slice(0, -".sql".length), { up: (db) => send(db, text) }];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function send(db: Kysely<unknown>, text: string): Promise<void> {
  await sql.raw(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`).execute(db);
  await sql.raw(text).execute(db);
}

function migrationsFolder(): string {
  const folder = FOLDERS.find((path) => existsSync(path));
  if (folder === undefined) {
    throw new Error(`The migrations are missing: expected ${FOLDERS.join(" or ")}`);
  }
  return folder;
}
