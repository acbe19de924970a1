import { randomBytes } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import type { DatabaseLayout } from "./database-layout.ts";
import { EmbeddedDatabaseError } from "./embedded-database-error.ts";
import { logTail } from "./log-tail.ts";
import { runAs } from "./run-as.ts";
import type { ServerBinaries } from "./server-binaries.ts";
import type { ServerIdentity } from "./server-identity.ts";
import { initdbArguments } from "./server-settings.ts";

/**
 * Makes the data folder when there is none. Guardian lock held.
 *
 * initdb writes to a folder with a name of its own, renamed when it is complete and on disk: `data`
 * exists whole or not at all. A guardian killed in between leaves a `data.partial-…` that the next
 * one removes, and perhaps an initdb still writing there, which nobody will ever rename.
 */
export async function prepareDataFolder(
  layout: DatabaseLayout,
  identity: ServerIdentity,
  binaries: ServerBinaries,
): Promise<void> {
  removePartials(layout);
  if (fs.existsSync(layout.data)) return refuseOtherMajor(layout, binaries);
  const partial = `${layout.data}.partial-${randomBytes(4).toString("hex")}`;
  const initdb = runAs(identity, binaries.initdb, initdbArguments(partial), {
    cwd: layout.folder,
    log: layout.log,
  });
  const [code, signal] = await once(initdb, "exit");
  if (code !== 0) {
    throw new EmbeddedDatabaseError({
      code: "EMBEDDED_DATABASE_FAILED",
      message:
        `The embedded database could not be created in ${layout.folder}: ` +
        `initdb ended with ${signal ?? code}.`,
      remedy:
        `The last lines of ${layout.log} say why: a full disk, a file system without Unix ` +
        "permissions, a user without a name in /etc/passwd?",
      logTail: logTail(layout.log),
    });
  }
  fs.renameSync(partial, layout.data);
  const folder = fs.openSync(layout.folder, "r");
  fs.fsyncSync(folder);
  fs.closeSync(folder);
}

function removePartials(layout: DatabaseLayout): void {
  for (const name of fs.readdirSync(layout.folder)) {
    if (!name.startsWith("data.partial-")) continue;
    try {
      fs.rmSync(join(layout.folder, name), { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // An orphaned initdb is writing there: the next start removes what it leaves.
    }
  }
}

function refuseOtherMajor(layout: DatabaseLayout, binaries: ServerBinaries): void {
  const found = fs.readFileSync(join(layout.data, "PG_VERSION"), "utf8").trim();
  if (found === binaries.major) return;
  throw new EmbeddedDatabaseError({
    code: "EMBEDDED_DATABASE_FAILED",
    message:
      `The data in ${layout.data} is of PostgreSQL ${found}; ` +
      `this version of speckit brings PostgreSQL ${binaries.major}.`,
    remedy:
      "Set SPECKIT_HOME to another folder to begin anew, or use the version of speckit that made " +
      "the data, or move the data with pg_dump and pg_restore.",
  });
}
