import { chmodSync, lstatSync, mkdirSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { EmbeddedDatabaseError } from "./embedded-database-error.ts";

/** Where everything of one embedded database lies. All paths are absolute and free of symlinks. */
export interface DatabaseLayout {
  readonly stateDir: string;
  /**
   * `<stateDir>/postgres`, mode 0700: nothing of the server is outside but a short socket folder.
   */
  readonly folder: string;
  readonly data: string;
  readonly binaries: string;
  /** The socket folder, or a symlink to it where the path here would be too long. */
  readonly run: string;
  readonly log: string;
  readonly lock: string;
  readonly guardianPid: string;
  readonly compileCache: string;
}

/** Names the files of the database in `stateDir`, which must exist and be free of symlinks. */
export function databaseLayout(stateDir: string): DatabaseLayout {
  const folder = join(stateDir, "postgres");
  return {
    stateDir,
    folder,
    data: join(folder, "data"),
    binaries: join(folder, "binaries"),
    run: join(folder, "run"),
    log: join(folder, "server.log"),
    lock: join(folder, "guardian.lock"),
    guardianPid: join(folder, "guardian.pid"),
    compileCache: join(folder, "compile-cache"),
  };
}

/**
 * Makes `<stateDir>/postgres` when it is missing, private, and checks whose it is. Safe to call
 * from any number of processes at once. Rejects a folder of another user: two users cannot share a
 * server.
 */
export function createDatabaseFolder(stateDir: string): DatabaseLayout {
  try {
    mkdirSync(resolve(stateDir), { recursive: true });
    const layout = databaseLayout(realpathSync(stateDir));
    refuseUnusablePath(layout);
    mkdirSync(layout.folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(layout.folder);
    const uid = process.geteuid?.();
    if (!found.isDirectory()) throw refusal(layout.folder, "a folder was expected");
    if (uid !== undefined && uid !== 0 && found.uid !== uid) {
      throw refusal(layout.folder, `it belongs to uid ${found.uid}, this is uid ${uid}`);
    }
    if ((found.mode & 0o077) !== 0) chmodSync(layout.folder, 0o700);
    return layout;
  } catch (error) {
    if (error instanceof EmbeddedDatabaseError) throw error;
    const { code, path } = error as NodeJS.ErrnoException;
    throw refusal(path ?? stateDir, code ?? String(error), { cause: error });
  }
}

/** The lock is an SQLite file, whose path has at most 511 bytes; initdb hands its own to a shell. */
function refuseUnusablePath({ folder, lock }: DatabaseLayout): void {
  const maxBytes = 511 - "-journal".length;
  if (Buffer.byteLength(lock) > maxBytes) {
    throw refusal(folder, `its path is longer than ${maxBytes - "/guardian.lock".length} bytes`, {
      remedy: "Set SPECKIT_HOME to a folder with a shorter path.",
    });
  }
  const found = /["$`\\\n]/.exec(folder)?.[0];
  if (found !== undefined) {
    throw refusal(folder, `initdb cannot take ${JSON.stringify(found)} in a path`, {
      remedy: "Set SPECKIT_HOME to a folder with a plain path.",
    });
  }
}

export function refusal(
  folder: string,
  reason: string,
  {
    remedy = "Set SPECKIT_HOME to a folder that this user owns and can write.",
    cause,
  }: { readonly remedy?: string; readonly cause?: unknown } = {},
): EmbeddedDatabaseError {
  const message = `The embedded database cannot use the folder ${folder}: ${reason}.`;
  return new EmbeddedDatabaseError(
    { code: "EMBEDDED_DATABASE_FAILED", message, remedy },
    { cause },
  );
}
