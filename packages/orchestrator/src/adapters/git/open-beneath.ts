import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pathBytes, type TreePath } from "./tree-entries.ts";

/**
 * Opens files and folders of a workspace one name at a time, none of them a symlink, so that nothing
 * outside it can be reached, even while something still changes it.
 *
 * Linux resolves `/proc/self/fd/N/name` from the folder that is open as N: the same as `openat`,
 * which Node does not have. Elsewhere the path itself is used, and a folder that is replaced by a
 * symlink between two steps would be followed; a harvest begins only after the job is gone.
 */
export interface OpenFolder {
  readonly handle: FileHandle;
  readonly path: Buffer;
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Without blocking: opening a pipe would wait for its other end. */
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export async function openFolder(path: Buffer): Promise<OpenFolder> {
  return { handle: await open(path, FOLDER), path };
}

/** Path of a name in an open folder. */
export function inFolder(folder: OpenFolder, name: Buffer): Buffer {
  const parent =
    process.platform === "linux" ? Buffer.from(`/proc/self/fd/${folder.handle.fd}`) : folder.path;
  return Buffer.concat([parent, Buffer.from("/"), name]);
}

export async function openFolderIn(folder: OpenFolder, name: Buffer): Promise<OpenFolder> {
  const handle = await open(inFolder(folder, name), FOLDER);
  return { handle, path: Buffer.concat([folder.path, Buffer.from("/"), name]) };
}

/** @throws a system error; `ELOOP` or `ENOTDIR` for a symlink */
export async function openFileIn(folder: OpenFolder, name: Buffer): Promise<FileHandle> {
  const handle = await open(inFolder(folder, name), FILE);
  try {
    if (!(await handle.stat()).isFile()) {
      throw Object.assign(new Error("not a regular file"), { code: "EINVAL" });
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  return handle;
}

/** Calls back with the folder a path's last name is in. */
export async function inParentOf<T>(
  root: OpenFolder,
  path: TreePath,
  use: (parent: OpenFolder, name: Buffer) => Promise<T>,
): Promise<T> {
  const names = path.split("/").map(pathBytes);
  const last = names.pop() ?? Buffer.alloc(0);
  let parent = root;
  try {
    for (const name of names) {
      const next = await openFolderIn(parent, name);
      await closeUnless(parent, root);
      parent = next;
    }
    return await use(parent, last);
  } finally {
    await closeUnless(parent, root);
  }
}

async function closeUnless(folder: OpenFolder, root: OpenFolder): Promise<void> {
  if (folder !== root) {
    await folder.handle.close();
  }
}
