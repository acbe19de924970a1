import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a killed process group may take to be gone. */
const GONE_WITHIN_MS = 5_000;
const POLL_MS = 10;

/**
 * Waits until a killed process group has no living member. A zombie is not one: in a container
 * without an init nobody ever buries orphans. What left the group is not seen from here.
 */
export async function groupGone(group: number): Promise<void> {
  const startedMs = performance.now();
  while (isThere(group) && (await hasLivingMember(group))) {
    if (performance.now() - startedMs > GONE_WITHIN_MS) {
      return;
    }
    await sleep(POLL_MS);
  }
}

function isThere(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** Where there is no `/proc`, what is there counts as living. */
async function hasLivingMember(group: number): Promise<boolean> {
  const names = await readdir("/proc").catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) {
    return true;
  }
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
    // `pid (name) state ppid pgrp …`; the name may hold anything, a `)` too.
    const [state, , pgrp] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (Number(pgrp) === group && state !== "Z" && state !== "X") {
      return true;
    }
  }
  return false;
}
