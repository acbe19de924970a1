import type { BaseFiles, GitRun } from "../../ports/git-workspace.ts";
import type { GitContext } from "./context.ts";
import { cacheWithBase } from "./repository-cache.ts";
import { nulSeparated, pathBytes } from "./tree-entries.ts";

/** Longest file that is read as text. */
export const TEXT_MAX_BYTES = 1024 * 1024;

/** Reads files of the base commit straight from the cache. */
export async function baseFiles(
  context: GitContext,
  run: GitRun,
  signal: AbortSignal,
): Promise<BaseFiles> {
  const { cache: gitDir } = await cacheWithBase(context, run, signal);
  const list = async (path: string, ...options: string[]) => {
    const args = ["ls-tree", "-z", "--full-tree", ...options, run.baseSha, "--", path] as const;
    return nulSeparated((await context.git({ args, gitDir }, signal)).stdout);
  };
  const specNames = (await list("specs/", "--name-only")).map((name) =>
    pathBytes(name).toString("utf8").slice("specs/".length),
  );
  return {
    specNames,
    hasSpecify: (await list(".specify/", "--name-only")).length > 0,
    read: async (path) => {
      const [record] = await list(path, "-l");
      const [, oid, bytes] = /^100\d{3} blob (\w+) +(\d+)\t/.exec(record ?? "") ?? [];
      if (oid === undefined || Number(bytes) > TEXT_MAX_BYTES) {
        return undefined;
      }
      const blob = await context.git({ args: ["cat-file", "blob", oid], gitDir }, signal);
      return blob.stdout.toString("utf8");
    },
  };
}
