import { lstat, opendir, readlink } from "node:fs/promises";
import { SpeckitError } from "../../domain/speckit-error.ts";
import { isDotGit } from "./dot-git.ts";
import { inParallel } from "./in-parallel.ts";
import { inFolder, type OpenFolder, openFolderIn } from "./open-beneath.ts";
import type { GitLimits } from "./options.ts";
import { pathBytes, type TreePath } from "./tree-entries.ts";

/** Something that lies in a workspace. Folders are not listed: git knows them by what they hold. */
export type WalkedEntry =
  | { readonly kind: "file"; readonly bytes: number; readonly isExecutable: boolean }
  | { readonly kind: "symlink"; readonly target: Buffer }
  /** What is never taken, in words, for example `a named pipe`. */
  | { readonly kind: "other"; readonly what: string };

export interface Walk {
  readonly entries: ReadonlyMap<TreePath, WalkedEntry>;
  /** Every folder that was entered, but the root. */
  readonly folders: readonly TreePath[];
}

/** Deeper or longer than this is no source tree, and no path to hand to another program. */
const MAX_DEPTH = 200;
const MAX_PATH_BYTES = 2_000;
const WIDTH = 16;

/**
 * Lists a workspace without following a symlink and without entering its `.git`. Reads no file.
 *
 * @throws SpeckitError `WORKSPACE_TOO_LARGE`
 */
export async function walkWorkspace(
  root: OpenFolder,
  limits: GitLimits,
  signal: AbortSignal,
): Promise<Walk> {
  const entries = new Map<TreePath, WalkedEntry>();
  const folders: TreePath[] = [];
  let seen = 0;
  let bytes = 0;

  async function look(folder: OpenFolder, prefix: TreePath, name: string): Promise<boolean> {
    const path = `${prefix}${name}`;
    const place = inFolder(folder, pathBytes(name));
    const stats = await lstat(place);
    if (isDotGit(name)) {
      if (path !== ".git") {
        entries.set(path, { kind: "other", what: "a git repository's own folder or file" });
      }
      return false;
    }
    if (path.length > MAX_PATH_BYTES || path.split("/").length > MAX_DEPTH) {
      entries.set(path, { kind: "other", what: `a path of ${path.length} bytes` });
      return false;
    }
    if (stats.isFile()) {
      bytes += stats.size;
      entries.set(path, {
        kind: "file",
        bytes: stats.size,
        isExecutable: (stats.mode & 0o100) !== 0,
      });
    } else if (stats.isSymbolicLink()) {
      entries.set(path, { kind: "symlink", target: await readlink(place, "buffer") });
    } else if (!stats.isDirectory()) {
      entries.set(path, { kind: "other", what: specialFile(stats) });
    }
    if (bytes > limits.workspaceMaxBytes) {
      throw tooLarge(`more than ${limits.workspaceMaxBytes} bytes`);
    }
    return stats.isDirectory();
  }

  async function enter(folder: OpenFolder, prefix: TreePath): Promise<void> {
    signal.throwIfAborted();
    const names: string[] = [];
    for await (const { name } of await opendir(inFolder(folder, Buffer.from(".")), ASKED)) {
      names.push((name as unknown as Buffer).toString("latin1"));
      if (++seen > limits.workspaceMaxEntries) {
        throw tooLarge(`more than ${limits.workspaceMaxEntries} files`);
      }
    }
    const inside: string[] = [];
    await inParallel(names, WIDTH, async (name) => {
      if (await look(folder, prefix, name)) {
        inside.push(name);
      }
    });
    for (const name of inside.sort()) {
      const path = `${prefix}${name}`;
      try {
        const child = await openFolderIn(folder, pathBytes(name));
        try {
          await enter(child, `${path}/`);
          folders.push(path);
        } finally {
          await child.handle.close();
        }
      } catch (error) {
        if (!isUnreadable(error)) {
          throw error;
        }
        entries.set(path, { kind: "other", what: "a folder that may not be read" });
      }
    }
  }

  await enter(root, "");
  return { entries, folders };
}

// Node's types know no Dirent of bytes for opendir; names must be bytes, since not all are UTF-8.
const ASKED = { encoding: "buffer" as BufferEncoding, bufferSize: 256 };

export function isUnreadable(error: unknown): boolean {
  const code = (error as { readonly code?: unknown }).code;
  return code === "EACCES" || code === "EPERM";
}

function specialFile(stats: Awaited<ReturnType<typeof lstat>>): string {
  if (stats.isFIFO()) {
    return "a named pipe";
  }
  return stats.isSocket() ? "a socket" : "a device";
}

function tooLarge(found: string): SpeckitError {
  return new SpeckitError("WORKSPACE_TOO_LARGE", `The workspace has ${found}`);
}
