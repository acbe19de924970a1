import { mkdtemp, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { folderOfQuickDisk } from "@speckit/private-broker";

export interface TempFolder extends AsyncDisposable {
  /** Absolute, without symlinks. */
  readonly path: string;
}

/** A new empty folder, removed with all its content at the end: `await using folder = await tempFolder("git")`. */
export async function tempFolder(name: string): Promise<TempFolder> {
  const path = await mkdtemp(join(await realpath(folderOfQuickDisk()), `speckit-test-${name}-`));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
