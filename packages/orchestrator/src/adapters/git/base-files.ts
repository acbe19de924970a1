import type { BaseFiles, GitRun } from "../../ports/git-workspace.ts";
import type { GitContext } from "./context.ts";
import { cacheWithBase } from "./repository-cache.ts";
import { openRunRepository } from "./run-repository.ts";
import { nulSeparated, pathBytes, pathOf, type TreePath } from "./tree-entries.ts";

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
  /** The whole tree, once somebody has asked for it: then a file is found without asking git again. */
  let tree: Promise<ReadonlyMap<TreePath, string>> | undefined;
  const recordsByPath = (records: readonly string[]): ReadonlyMap<TreePath, string> =>
    new Map(records.map((record) => [record.slice(record.indexOf("\t") + 1), record]));
  return {
    async listPaths() {
      tree ??= list("-r", commit).then(recordsByPath);
      return [...(await tree).keys()].map((path) => pathBytes(path).toString("utf8"));
    },
    async read(text) {
      const path = pathOf(text);
      const found = await (tree ?? list(commit, "--", text).then(recordsByPath));
      const [, oid] = /^100\d{3} blob (\w+)\t/.exec(found.get(path) ?? "") ?? [];
      if (oid === undefined) {
        return undefined;
      }
      const args = ["cat-file", "blob", oid] as const;
      const blob = await context.git({ args, gitDir, maxBytes: TEXT_MAX_BYTES + 1 }, signal);
      return blob.stdout.length > TEXT_MAX_BYTES ? undefined : blob.stdout.toString("utf8");
    },
  };
}
