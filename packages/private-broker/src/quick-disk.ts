import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";

const IN_MEMORY = "/dev/shm";
/** Two write-ahead files of quorum queues at their largest, and their segments. */
const ENOUGH_BYTES = 2 ** 31;

/**
 * The parent of a private broker's folder: in memory, where Linux offers that and there is room.
 *
 * Quorum queues sync their files when they are declared and for every message: in memory that never
 * waits for whatever else the disk is busy with. What a power cut would lose is thrown away with the
 * folder anyway; a kill of the broker loses nothing.
 */
export async function folderOfQuickDisk(): Promise<string> {
  try {
    const { bavail, bsize } = await statfs(IN_MEMORY);
    return bavail * bsize >= ENOUGH_BYTES ? IN_MEMORY : tmpdir();
  } catch {
    return tmpdir(); // not Linux
  }
}
