import type { BaseFiles, GitRun } from "../../ports/git-workspace.ts";
import type { GitContext } from "./context.ts";
import { cacheWithBase } from "./repository-cache.ts";
import { openRunRepository } from "./run-repository.ts";
import { nulSeparated, pathBytes } from "./tree-entries.ts";

/** Longest file that is read as text. */
export const TEXT_MAX_BYTES = 1024 * 1024;

/** Reads files of the base commit straight from the cache. */
export async function baseFiles(
  context: GitContext,
  run: GitRun,
  signal: AbortSignal,
): Promise<BaseFiles> {
  const { cache } = await cacheWithBase(context, run, signal);
  return filesOf(context, cache, run.baseSha, signal);
}

/** Reads files of the tip from the run's own repository. */
export async function tipFiles(
  context: GitContext,
  run: GitRun,
  signal: AbortSignal,
): Promise<BaseFiles> {
  return filesOf(context, await openRunRepository(context, run, signal), run.tipSha, signal);
}

function filesOf(
  context: GitContext,
  gitDir: string,
  commit: string,
  signal: AbortSignal,
): BaseFiles {
  const list = async (...options: readonly string[]) => {
    const args = ["ls-tree", "-z", "--full-tree", ...options] as const;
    return nulSeparated((await context.git({ args, gitDir }, signal)).stdout);
  };
  return {
    listPaths: async () =>
      (await list("-r", "--name-only", commit)).map((name) => pathBytes(name).toString("utf8")),
    read: async (path) => {
      const [record] = await list("-l", commit, "--", path);
      const [, oid, bytes] = /^100\d{3} blob (\w+) +(\d+)\t/.exec(record ?? "") ?? [];
      if (oid === undefined || Number(bytes) > TEXT_MAX_BYTES) {
        return undefined;
      }
      const blob = await context.git({ args: ["cat-file", "blob", oid], gitDir }, signal);
      return blob.stdout.toString("utf8");
    },
  };
}
