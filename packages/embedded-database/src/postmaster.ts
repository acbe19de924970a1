import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { serverEnvironment } from "./server-environment.ts";

/** The pid in the data folder's `postmaster.pid`, whether or not it is alive. */
export function recordedPostmaster(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether `pid` is the postmaster of `data`, by its command line: a pid alone may have been given
 * to another process since (small numbers come back soon in a container), and a dead child that
 * nobody has reaped still counts as alive to `kill(pid, 0)`. Backends have another title and are
 * never taken for it.
 */
export function isPostmaster(pid: number, data: string): boolean {
  return commandLine(pid)?.includes(` -D ${data} -c `) ?? isTaken(pid);
}

/**
 * Sends `signal` and waits until the process is gone; false when it is still there after
 * `timeoutMs`.
 */
export async function endPostmaster(
  pid: number,
  data: string,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  try {
    if (isPostmaster(pid, data)) process.kill(pid, signal);
  } catch {
    // It ended by itself between the two.
  }
  while (isPostmaster(pid, data)) {
    if (performance.now() > deadline) return false;
    await pause(20);
  }
  return true;
}

/**
 * The command line as text; empty for a process that is gone, undefined where it cannot be known.
 */
function commandLine(pid: number): string | undefined {
  if (existsSync("/proc/self/cmdline")) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
      return "";
    }
  }
  const options = { env: serverEnvironment(), encoding: "utf8" } as const;
  const { status, stdout } = spawnSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], options);
  return status === null ? undefined : stdout;
}

/** Whether some process has this pid, a dead one that nobody has reaped included. */
export function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
