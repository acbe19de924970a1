import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { artifactParts } from "./artifact-path.ts";
import { WRITING_PREFIX } from "./artifact-writer.ts";
import { diskError } from "./disk-error.ts";

/**
 * What lies in a run's folder, as names below it, sorted. Links and whatever else is no folder are
 * named too and not followed. Files being written are left out.
 */
export async function listRun(folder: string, runId: string): Promise<readonly string[]> {
  const [part] = artifactParts(runId, "any");
  try {
    return (await filesIn(join(folder, part), "")).sort();
  } catch (error) {
    throw diskError(error, `Listing artifacts of run ${runId}`);
  }
}

async function filesIn(path: string, prefix: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return [];
    }
    throw error;
  });
  const names: string[] = [];
  for (const entry of entries) {
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) {
      names.push(...(await filesIn(join(path, entry.name), `${name}/`)));
    } else if (!entry.name.startsWith(WRITING_PREFIX)) {
      names.push(name);
    }
  }
  return names;
}
