import { DatabaseSync } from "node:sqlite";

/**
 * Takes the lock that makes the guardian of a state folder single, or answers false when another
 * process has it. Held until this process ends, however it ends.
 *
 * Node has no `flock`. SQLite's exclusive transaction is an `fcntl` lock on the file: the kernel
 * drops it with the process, so there is no stale lock to judge, which a pid file would leave after
 * a `kill -9`. Nothing is ever written: the file stays empty.
 */
export function takeGuardianLock(file: string): boolean {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return false;
    throw error;
  }
  held.push(database);
  return true;
}

const sqliteBusy = 5;

/** Keeps the handle from being collected, which would close the file and so drop the lock. */
const held: DatabaseSync[] = [];
