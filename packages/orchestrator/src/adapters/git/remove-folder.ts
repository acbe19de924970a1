import { rm } from "node:fs/promises";
import { execa } from "execa";
import { SpeckitError } from "../../domain/speckit-error.ts";

/**
 * Removes a folder whatever is in it: missing, read-only folders, paths longer than the system
 * takes. What is still written to may come back; nothing is followed out of it.
 */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 2 });
  } catch (cause) {
    // chmod and rm walk by folder handles: no path gets too long, no symlink is followed.
    const options = {
      reject: false,
      stdin: "ignore",
      stdout: "ignore",
      timeout: DEADLINE_MS,
    } as const;
    await execa("chmod", ["-R", "u+rwx", "--", folder], options);
    const { failed } = await execa("rm", ["-rf", "--", folder], options);
    if (failed) {
      throw notRemoved(folder, cause);
    }
  }
}

const DEADLINE_MS = 300_000;

function notRemoved(folder: string, cause: unknown): SpeckitError {
  return new SpeckitError("GIT_FAILED", `Could not remove the folder ${folder}`, { cause });
}
