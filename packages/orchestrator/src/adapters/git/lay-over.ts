import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LaidOverFile } from "../../ports/git-workspace.ts";
import { objectFormatOf } from "./folders.ts";
import { blobId } from "./hash-file.ts";
import { pathOf, type TreeEntry, type TreePath } from "./tree-entries.ts";

type Tree = ReadonlyMap<TreePath, TreeEntry>;

/**
 * Writes files over a workspace that was just made from a tree, or beside one that is packed. The tree decides where: a place that
 * it has as a regular file, or that is free in a folder it has. Such a path has no symlink in it, so
 * nothing outside the workspace can be reached, whatever the repository holds.
 *
 * @returns the paths of those that stand in the place of a file of the tree
 */
export async function layOver(
  workspace: string,
  tree: Tree,
  files: readonly LaidOverFile[],
): Promise<readonly string[]> {
  const replaced: string[] = [];
  for (const { path, content } of files) {
    const place = placeOf(tree, path);
    if (place !== "none") {
      await mkdir(dirname(join(workspace, path)), { recursive: true });
      await writeFile(join(workspace, path), content);
    }
    if (place === "file") {
      replaced.push(path);
    }
  }
  return replaced;
}

/** The tree as its workspace looked when an agent got it. */
export function withLaidOver(tree: Tree, files: readonly LaidOverFile[], commit: string): Tree {
  const over = new Map(tree);
  for (const { path, content } of files) {
    const entry = tree.get(pathOf(path));
    if (entry !== undefined && placeOf(tree, path) === "file") {
      const bytes = Buffer.from(content);
      const oid = blobId(objectFormatOf(commit), bytes);
      over.set(pathOf(path), { ...entry, oid, bytes: bytes.length });
    }
  }
  return over;
}

function placeOf(tree: Tree, path: string): "file" | "free" | "none" {
  const entry = tree.get(pathOf(path));
  if (entry !== undefined) {
    return entry.mode.startsWith("100") ? "file" : "none";
  }
  const folder = pathOf(path.slice(0, path.lastIndexOf("/") + 1));
  const isFolderThere = [...tree.keys()].some((other) => other.startsWith(folder));
  const isTaken = [...tree.keys()].some((other) => other.startsWith(`${pathOf(path)}/`));
  return isFolderThere && !isTaken ? "free" : "none";
}
