import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { isGroupAlive, isProcessAlive, startOf } from "./process-alive.mjs";
import { announce, Refusal } from "./refusal.mjs";

const waitMs = 10 * 60_000;
/** A lock is created and filled in two steps; one that stays empty for longer than this was cut between them. */
const emptyLockMs = 5_000;

/**
 * Runs `body` while no other process on this machine holds the lock file.
 *
 * The file names its owner and the process group the owner has started. A killed owner leaves the file behind and may
 * leave that group running: the lock is stale only when both are gone, so a half-finished install is never joined by a
 * second one. Breaking a stale lock is a rename: of two that try, one succeeds.
 */
export async function withLock(path, what, body) {
  await acquire(path, what);
  const own = { pid: process.pid, started: startOf(process.pid) };
  try {
    return await body((group) => writeFileSync(path, JSON.stringify({ ...own, group })));
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * Takes the lock file if no other process holds it, until the returned function is called; else undefined, at once.
 */
export function tryLock(path) {
  for (let tries = 0; tries < 3; tries += 1) {
    if (tryCreate(path)) return () => rmSync(path, { force: true });
    const owner = readOwner(path);
    if (owner === undefined) continue;
    if (isAlive(owner)) return undefined;
    breakStale(path, owner.text);
  }
  return undefined;
}

async function acquire(path, what) {
  const deadline = Date.now() + waitMs;
  let announced = false;
  for (;;) {
    if (tryCreate(path)) return;
    const owner = readOwner(path);
    if (owner === undefined) continue;
    if (!isAlive(owner)) {
      breakStale(path, owner.text);
      continue;
    }
    const other = isProcessAlive(owner.pid, owner.started) ? owner.pid : (owner.group ?? owner.pid);
    if (!announced) announce(`${what} is being done by process ${other}; waiting for it`);
    announced = true;
    if (Date.now() > deadline) {
      throw new Refusal(
        `waited ${waitMs / 60_000} minutes for process ${other} (${what}). End it, or remove ${path} if that is not ours.`,
        75,
      );
    }
    await sleep(200);
  }
}

function tryCreate(path) {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }), {
      flag: "wx",
    });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function readOwner(path) {
  try {
    const text = readFileSync(path, "utf8");
    if (text === "") return { text, emptySince: statSync(path).mtimeMs };
    return { ...JSON.parse(text), text };
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    // Being rewritten at this moment, or cut while it was: treated like an empty one.
    if (!(error instanceof SyntaxError)) throw error;
    return { text: undefined, emptySince: statSync(path).mtimeMs };
  }
}

function isAlive({ pid, started, group, emptySince }) {
  if (emptySince !== undefined) return Date.now() - emptySince < emptyLockMs;
  return isProcessAlive(pid, started) || (group > 0 && isGroupAlive(group));
}

function breakStale(path, text) {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  // Between reading and renaming another process may have broken it and taken the lock: give that one back.
  const taken = readFileSync(aside, "utf8");
  if (text !== undefined && taken !== text) renameSync(aside, path);
  else rmSync(aside, { force: true });
}
