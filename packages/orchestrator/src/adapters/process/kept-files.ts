import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { KeptFile } from "../../ports/job-runtime.ts";
import { KEPT_MAX_BYTES } from "../supervision/kept-limit.ts";

/**
 * Reads the regular files of folders below HOME, once the job is gone. Links are not followed, what
 * cannot be read is left out, and so is what would go over the limit.
 */
export async function keptFiles(
  home: string,
  folders: readonly string[],
): Promise<readonly KeptFile[]> {
  const kept: KeptFile[] = [];
  let left = KEPT_MAX_BYTES;
  for (const folder of folders) {
    const entries = await readdir(join(home, folder), {
      recursive: true,
      withFileTypes: true,
    }).catch(() => []);
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const content = entry.isFile() ? await readUpTo(path, left) : undefined;
      if (content !== undefined) {
        left -= Buffer.byteLength(content);
        kept.push({ path: relative(home, path), content });
      }
    }
  }
  return kept;
}

async function readUpTo(path: string, maxBytes: number): Promise<string | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) {
    return undefined;
  }
  try {
    const facts = await file.stat();
    return facts.isFile() && facts.size <= maxBytes ? await file.readFile("utf8") : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
