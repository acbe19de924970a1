import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { GitContext } from "./context.ts";
import type { OpenFolder } from "./open-beneath.ts";
import { readSmallFile } from "./read-small-file.ts";
import { removeFolder } from "./remove-folder.ts";
import { nulSeparated, pathBytes, type TreePath } from "./tree-entries.ts";
import type { Walk } from "./walk-workspace.ts";

/**
 * Which untracked paths the workspace's `.gitignore` files leave out, by git's own rules.
 *
 * Git does not look at the workspace for this: the `.gitignore` files, read by us as plain text, are
 * laid out in a scratch folder of ours, and `check-ignore` is asked there. It needs nothing else of
 * the tree, so there is no index, configuration, symlink or pipe of the agent's in its way.
 *
 * First whole folders are asked about, then the files that are left: a folder of 100,000 installed
 * files costs one question.
 *
 * @param untracked paths of the walk that the tip does not have
 * @param scratch a folder of our own; made and removed here
 */
export async function ignoredPaths(
  context: GitContext,
  about: {
    readonly gitDir: string;
    readonly root: OpenFolder;
    readonly walk: Walk;
    readonly tracked: Iterable<TreePath>;
    readonly untracked: readonly TreePath[];
    readonly scratch: string;
  },
  signal: AbortSignal,
): Promise<ReadonlySet<TreePath>> {
  if (about.untracked.length === 0) {
    return new Set();
  }
  const { scratch, walk } = about;
  const trackedFolders = foldersOf(about.tracked);
  const roots = walk.folders.filter(
    (folder) => !trackedFolders.has(folder) && isKnown(trackedFolders, parentOf(folder)),
  );
  const ask = async (paths: readonly TreePath[]) => {
    // This command refuses literal pathspecs; behind `./` no name can be taken for anything else.
    const input = Buffer.concat(paths.map((path) => pathBytes(`./${path}\0`)));
    const { stdout } = await context.git(
      {
        args: ["check-ignore", "-z", "--stdin", "--no-index"],
        gitDir: about.gitDir,
        workTree: scratch,
        env: { GIT_LITERAL_PATHSPECS: "0" },
        input,
        answers: [0, 1],
      },
      signal,
    );
    return new Set(nulSeparated(stdout).map((path) => path.slice("./".length)));
  };
  await removeFolder(scratch);
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  try {
    await layOut(about, (folder) => isKnown(trackedFolders, folder), signal);
    for (const folder of roots) {
      await mkdir(Buffer.concat([Buffer.from(`${scratch}/`), pathBytes(folder)]), {
        recursive: true,
      });
    }
    const ignoredRoots = roots.length === 0 ? new Set<TreePath>() : await ask(roots);
    const isBelowIgnored = (path: TreePath) =>
      ancestors(path).some((folder) => ignoredRoots.has(folder));
    const ignored = new Set(about.untracked.filter(isBelowIgnored));
    const left = about.untracked.filter((path) => !ignored.has(path));
    if (left.length > 0) {
      await layOut(
        about,
        (folder) => !isKnown(trackedFolders, folder) && !isBelowIgnored(`${folder}/x`),
        signal,
      );
      for (const path of await ask(left)) {
        ignored.add(path);
      }
    }
    return ignored;
  } finally {
    await removeFolder(scratch);
  }
}

/** Longest `.gitignore` that counts. */
const IGNORE_MAX_BYTES = 1024 * 1024;

/** Copies the `.gitignore` files of some folders. One that is no plain file counts for nothing, as in git. */
async function layOut(
  about: { readonly root: OpenFolder; readonly walk: Walk; readonly scratch: string },
  isWanted: (folder: TreePath) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (const [path, entry] of about.walk.entries) {
    const isIgnoreFile = path === ".gitignore" || path.endsWith("/.gitignore");
    if (!isIgnoreFile || entry.kind !== "file" || !isWanted(parentOf(path))) {
      continue;
    }
    signal.throwIfAborted();
    const content = await readSmallFile(about.root, path, IGNORE_MAX_BYTES);
    if (content !== undefined) {
      const copy = Buffer.concat([Buffer.from(`${about.scratch}/`), pathBytes(path)]);
      await mkdir(Buffer.from(dirname(copy.toString("latin1")), "latin1"), { recursive: true });
      await writeFile(copy, content);
    }
  }
}

function foldersOf(paths: Iterable<TreePath>): ReadonlySet<TreePath> {
  const folders = new Set<TreePath>();
  for (const path of paths) {
    for (const folder of ancestors(path)) {
      folders.add(folder);
    }
  }
  return folders;
}

/** The folders a path is in, from the innermost to the outermost. */
function ancestors(path: TreePath): readonly TreePath[] {
  const folders: TreePath[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    folders.push(path.slice(0, at));
  }
  return folders;
}

function parentOf(path: TreePath): TreePath {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function isKnown(trackedFolders: ReadonlySet<TreePath>, folder: TreePath): boolean {
  return folder === "" || trackedFolders.has(folder);
}

export function scratchFolder(attemptFolder: string): string {
  return join(attemptFolder, "ignore");
}
