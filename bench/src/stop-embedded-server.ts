import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const GONE_WITHIN_MS = 30_000;

/**
 * Stops the embedded server of a state folder though clients are connected: its guardian does that
 * on SIGTERM (a fast shutdown, then it ends itself). Resolves when both are gone.
 */
export async function stopEmbeddedServer(stateDir: string): Promise<void> {
  const pid = Number(await readFile(join(stateDir, "postgres", "guardian.pid"), "utf8"));
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + GONE_WITHIN_MS;
  while (isThere(pid)) {
    if (performance.now() > deadline) {
      throw new Error(`The embedded database did not stop within ${GONE_WITHIN_MS / 1000} s`);
    }
    await pause(20);
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
