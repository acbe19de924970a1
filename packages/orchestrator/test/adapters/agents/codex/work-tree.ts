import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { PhaseOutput } from "../../../../src/domain/verify/phase-output.ts";

/** Texts of files by their paths in a folder. */
export type WorkTree = ReadonlyMap<string, string>;

export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

export async function readTree(folder: string): Promise<WorkTree> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), await readFile(path, "utf8"));
  }
  return files;
}

/** What a phase has left, as git would tell it. */
export function outputBetween(
  before: WorkTree,
  after: WorkTree,
  featureDirectory: string,
): PhaseOutput {
  const changed = [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => ({
      path,
      kind: !before.has(path)
        ? ("added" as const)
        : after.has(path)
          ? ("changed" as const)
          : ("removed" as const),
    }));
  return { featureDirectory, read: (path) => after.get(path), changed };
}
