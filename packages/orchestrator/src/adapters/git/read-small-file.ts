import { inParentOf, type OpenFolder, openFileIn } from "./open-beneath.ts";
import type { TreePath } from "./tree-entries.ts";

/** A regular file's content, undefined when it is missing, no regular file, unreadable or longer. */
export async function readSmallFile(
  root: OpenFolder,
  path: TreePath,
  maxBytes: number,
): Promise<Buffer | undefined> {
  try {
    return await inParentOf(root, path, async (parent, name) => {
      const file = await openFileIn(parent, name);
      try {
        const content = Buffer.alloc(maxBytes + 1);
        let length = 0;
        while (length < content.length) {
          const { bytesRead } = await file.read(content, length, content.length - length, null);
          if (bytesRead === 0) {
            return content.subarray(0, length);
          }
          length += bytesRead;
        }
        return undefined;
      } finally {
        await file.close();
      }
    });
  } catch (error) {
    if (IS_NO_FILE.has(String((error as { readonly code?: unknown }).code))) {
      return undefined;
    }
    throw error;
  }
}

const IS_NO_FILE = new Set([
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "EINVAL",
  "ENXIO",
  "EISDIR",
  "EACCES",
  "EPERM",
]);
