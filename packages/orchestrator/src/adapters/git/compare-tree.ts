import type { ObjectFormat } from "./folders.ts";
import { blobId, hashFile } from "./hash-file.ts";
import { inParallel } from "./in-parallel.ts";
import { inParentOf, type OpenFolder, openFileIn } from "./open-beneath.ts";
import {
  pathBytes,
  SUBMODULE_MODE,
  SYMLINK_MODE,
  type TreeEntry,
  type TreePath,
} from "./tree-entries.ts";
import { isUnreadable, type Walk, type WalkedEntry } from "./walk-workspace.ts";

export type Change =
  | { readonly path: TreePath; readonly kind: "added" | "changed"; readonly entry: WalkedEntry }
  | { readonly path: TreePath; readonly kind: "removed" };

export interface Comparison {
  /** Against the tip, without what is untracked. */
  readonly changes: readonly Change[];
  /** What the tip does not have, ignored or not. */
  readonly untracked: readonly TreePath[];
}

const WIDTH = 8;

/**
 * Compares a walk with a tree by kind, executable bit and content. A file of the same length is
 * read and hashed: its times are the agent's to set, so they prove nothing.
 *
 * Submodules stay as they are: what lies below one is not looked at.
 */
export async function compareTree(
  root: OpenFolder,
  walk: Walk,
  tree: ReadonlyMap<TreePath, TreeEntry>,
  format: ObjectFormat,
  signal: AbortSignal,
): Promise<Comparison> {
  const changes: Change[] = [];
  const toHash: ToHash[] = [];
  const submodules = new Set<TreePath>();
  for (const [path, { mode, oid, bytes }] of tree) {
    const entry = walk.entries.get(path);
    if (mode === SUBMODULE_MODE) {
      submodules.add(path);
      if (entry !== undefined) {
        const other = { kind: "other", what: "something in the place of a submodule" } as const;
        changes.push({ path, kind: "changed", entry: other });
      }
    } else if (entry === undefined) {
      changes.push({ path, kind: "removed" });
    } else if (mode === SYMLINK_MODE && entry.kind === "symlink") {
      if (blobId(format, entry.target) !== oid) {
        changes.push({ path, kind: "changed", entry });
      }
    } else if (entry.kind === "file" && isSameMode(mode, entry) && entry.bytes === bytes) {
      toHash.push({ path, oid, entry });
    } else {
      changes.push({ path, kind: "changed", entry });
    }
  }
  // A folder is opened once for all its files.
  for (const files of byFolder(toHash)) {
    signal.throwIfAborted();
    await inParentOf(root, files[0]?.path ?? "", (parent) =>
      inParallel(files, WIDTH, async ({ path, oid, entry }) => {
        const name = pathBytes(path.slice(path.lastIndexOf("/") + 1));
        if ((await idOf(parent, name, entry.bytes, format)) !== oid) {
          changes.push({ path, kind: "changed", entry });
        }
      }),
    );
  }
  const untracked = [...walk.entries.keys()].filter(
    (path) => !tree.has(path) && !isBelow(path, submodules),
  );
  return { changes, untracked };
}

function isSameMode(mode: string, entry: WalkedEntry & { kind: "file" }): boolean {
  return mode.startsWith("100") && (mode === "100755") === entry.isExecutable;
}

interface ToHash {
  readonly path: TreePath;
  readonly oid: string;
  readonly entry: WalkedEntry & { readonly kind: "file" };
}

function byFolder(files: readonly ToHash[]): Iterable<readonly ToHash[]> {
  const folders = new Map<TreePath, ToHash[]>();
  for (const file of files) {
    const folder = file.path.slice(0, file.path.lastIndexOf("/") + 1);
    const group = folders.get(folder);
    if (group === undefined) {
      folders.set(folder, [file]);
    } else {
      group.push(file);
    }
  }
  return folders.values();
}

async function idOf(
  parent: OpenFolder,
  name: Buffer,
  bytes: number,
  format: ObjectFormat,
): Promise<string | undefined> {
  try {
    const file = await openFileIn(parent, name);
    try {
      return await hashFile(file, bytes, format);
    } finally {
      await file.close();
    }
  } catch (error) {
    // Told as a finding when the change is taken.
    if (isUnreadable(error)) {
      return undefined;
    }
    throw error;
  }
}

function isBelow(path: TreePath, folders: ReadonlySet<TreePath>): boolean {
  if (folders.size === 0) {
    return false;
  }
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    if (folders.has(path.slice(0, at))) {
      return true;
    }
  }
  return false;
}
