import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { databaseLayout } from "./database-layout.ts";
import { connectFailure, connectSession } from "./database-session.ts";
import { connectionStringOf, findSocketFolder } from "./socket-folder.ts";

/** How the embedded database of a folder stands. */
export type EmbeddedDatabaseLook =
  | { readonly state: "absent" }
  /** `major`: of the PostgreSQL that its data is of. */
  | { readonly state: "stopped"; readonly major: string; readonly because: string }
  | { readonly state: "running"; readonly major: string; readonly connectionString: string };

/**
 * Looks at the database of `stateDir` without making or starting anything. One that runs may stop any
 * time afterwards, unless somebody is connected.
 */
export async function lookAtEmbeddedDatabase(stateDir: string): Promise<EmbeddedDatabaseLook> {
  if (!existsSync(stateDir)) {
    return { state: "absent" };
  }
  const layout = databaseLayout(realpathSync(stateDir));
  const versionFile = join(layout.data, "PG_VERSION");
  if (!existsSync(versionFile)) {
    return { state: "absent" };
  }
  const major = readFileSync(versionFile, "utf8").trim();
  const folder = findSocketFolder(layout);
  if (folder === undefined) {
    return { state: "stopped", major, because: "no socket folder" };
  }
  const connectionString = connectionStringOf(folder);
  try {
    const session = await connectSession(connectionString, "speckit doctor");
    await session.end();
    return { state: "running", major, connectionString };
  } catch (error) {
    return { state: "stopped", major, because: connectFailure(error) };
  }
}
