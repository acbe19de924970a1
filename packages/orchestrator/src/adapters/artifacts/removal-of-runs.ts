import { randomUUID } from "node:crypto";
import { lstat, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactStore } from "../../ports/artifact-store.ts";
import { artifactParts, isRunFolder } from "./artifact-path.ts";
import { diskError } from "./disk-error.ts";

const DELETING_PREFIX = ".deleting-";

/**
 * Deletes folders of runs. A folder is renamed first, which one of several workers can do, also
 * of several hosts on one volume: that one deletes it. So no reader sees half a run, and what a
 * crash leaves has a name that says what it is.
 */
export function removalOfRuns(
  folder: string,
): Pick<ArtifactStore, "runsHere" | "removeRun" | "removeLeftovers"> {
  const entries = async (): Promise<readonly string[]> => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (isMissing(error)) {
        return [];
      }
      throw diskError(error, "Listing artifacts");
    }
  };
  return {
    runsHere: async () => (await entries()).filter(isRunFolder),
    async removeRun(runId) {
      const [part] = artifactParts(runId, "any");
      const deleting = join(folder, `${DELETING_PREFIX}${part}-${randomUUID()}`);
      try {
        await rename(join(folder, part), deleting);
      } catch (error) {
        if (isMissing(error)) {
          return undefined;
        }
        throw diskError(error, `Deleting artifacts of run ${runId}`);
      }
      try {
        const bytes = await bytesIn(deleting);
        await remove(deleting);
        return bytes;
      } catch (error) {
        throw diskError(error, `Deleting artifacts of run ${runId}`);
      }
    },
    async removeLeftovers() {
      for (const name of await entries()) {
        if (name.startsWith(DELETING_PREFIX)) {
          try {
            await remove(join(folder, name));
          } catch (error) {
            throw diskError(error, `Deleting ${name}`);
          }
        }
      }
    },
  };
}

/** Others may delete the same at the same time: then there is nothing left, which is fine. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

async function bytesIn(path: string): Promise<number> {
  const facts = await lstat(path).catch((error: unknown) => {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  });
  if (facts?.isDirectory() !== true) {
    return facts?.size ?? 0;
  }
  let bytes = 0;
  for (const name of await readdir(path).catch(() => [])) {
    bytes += await bytesIn(join(path, name));
  }
  return bytes;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
