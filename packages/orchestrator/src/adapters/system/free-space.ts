import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { FreeSpace } from "../../ports/free-space.ts";

/** Of the file system that holds the folder, or will once it is made. */
export function freeSpaceOf(folder: string): FreeSpace {
  return async () => {
    for (let path = folder; ; path = dirname(path)) {
      try {
        // bavail, not bfree: what is reserved for root is nobody's to plan with.
        const { bavail, bsize } = await statfs(path);
        return bavail * bsize;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" || path === dirname(path)) {
          throw error;
        }
      }
    }
  };
}
