import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";

const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
/** No leading dot: that is for files being written. No leading dash: it would be an option somewhere. */
const PART = /^[A-Za-z0-9_][A-Za-z0-9_.@+=-]{0,199}$/;
const MAX_PARTS = 8;

/** Whether an entry of the artifacts folder is named as a run's folder is. */
export function isRunFolder(name: string): boolean {
  return RUN_ID.test(name);
}

/**
 * The parts of an artifact's path below the artifacts folder: the run's id, folders, file name. An
 * allow-list of characters, so that no name means anything to a file system, shell or URL.
 *
 * @throws SpeckitError `INTERNAL_ERROR`: names are ours, a bad one is a bug
 */
export function artifactParts(runId: string, name: string): readonly [string, ...string[]] {
  if (!RUN_ID.test(runId)) {
    throw new SpeckitError("INTERNAL_ERROR", `Not a run's id: ${quote(runId)}`);
  }
  const parts = name.split("/");
  if (parts.length > MAX_PARTS || !parts.every((part) => PART.test(part))) {
    throw new SpeckitError(
      "INTERNAL_ERROR",
      "An artifact's name has at most 8 parts of letters, digits and _.@+=- that begin with a " +
        `letter, a digit or _, not ${quote(name)}`,
    );
  }
  return [runId, ...parts];
}

/**
 * The path of an artifact, after a look at every part of it that exists: folders must be real
 * folders and the file, if it is there, a regular file. A symlink in the way is refused, wherever it
 * points. The artifacts folder itself may be one: that is the operator's.
 *
 * Somebody with this user's rights who swaps a folder for a symlink between this look and the use
 * wins the race; in the state folder nobody else has any rights.
 */
export async function checkedPath(folder: string, parts: readonly string[]): Promise<string> {
  let path = folder;
  for (const [index, part] of parts.entries()) {
    path = join(path, part);
    const facts = await lstat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") {
        return undefined;
      }
      throw error;
    });
    const isLast = index === parts.length - 1;
    if (facts !== undefined && !(isLast ? facts.isFile() : facts.isDirectory())) {
      throw new SpeckitError(
        "INTERNAL_ERROR",
        `${path} in the artifacts folder is not a ${isLast ? "regular file" : "folder"}`,
      );
    }
  }
  return path;
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
