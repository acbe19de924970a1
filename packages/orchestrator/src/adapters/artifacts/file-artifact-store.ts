import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { ArtifactStore } from "../../ports/artifact-store.ts";
import { artifactParts, checkedPath } from "./artifact-path.ts";
import { writeArtifact } from "./artifact-writer.ts";
import { asRecorded } from "./as-recorded.ts";
import { diskError } from "./disk-error.ts";
import { listRun } from "./list-run.ts";
import { removalOfRuns } from "./removal-of-runs.ts";

export interface FileArtifactStoreOptions {
  /** Absolute; `artifacts` in the state folder (`SPECKIT_HOME`). Runs are folders in it. */
  readonly folder: string;
  /** Content kept of one artifact; the rest is counted and said. Default 64 MiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 64 * 1024;

/**
 * Keeps artifacts as files, readable for this user alone. Names cannot leave the run's folder:
 * `artifact-path.ts`.
 */
export function fileArtifactStore(options: FileArtifactStoreOptions): ArtifactStore {
  const { folder, maxBytes = DEFAULT_MAX_BYTES } = options;

  const openWriter: ArtifactStore["open"] = async (runId, name) => {
    const parts = artifactParts(runId, name);
    let path: string;
    try {
      path = await checkedPath(folder, parts);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    } catch (error) {
      throw diskError(error, `Writing artifact ${name}`);
    }
    return writeArtifact({ name, path, maxBytes });
  };

  return {
    open: openWriter,
    put: async (runId, name, content) => {
      const writer = await openWriter(runId, name);
      try {
        await writer.write(typeof content === "string" ? Buffer.from(content, "utf8") : content);
        return await writer.close();
      } catch (error) {
        await writer.discard();
        throw error;
      }
    },
    read: (runId, name, recorded) => {
      const content = readFile(folder, runId, name);
      return recorded === undefined ? content : asRecorded(content, recorded);
    },
    list: (runId) => listRun(folder, runId),
    ...removalOfRuns(folder),
  };
}

async function* readFile(
  folder: string,
  runId: string,
  name: string,
): AsyncGenerator<Uint8Array, void> {
  const parts = artifactParts(runId, name);
  try {
    const path = await checkedPath(folder, parts);
    // Should the file become a pipe or a link after the look: neither waited for nor followed.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(path, flags);
    try {
      yield* file.createReadStream({ highWaterMark: READ_BYTES, autoClose: false });
    } finally {
      await file.close();
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ENOENT"
      ? new SpeckitError("ARTIFACT_NOT_HERE", `${name} of run ${runId} is not in ${folder}`)
      : diskError(error, `Reading artifact ${name}`);
  }
}
