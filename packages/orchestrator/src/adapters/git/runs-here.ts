import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Folders } from "./folders.ts";

/** The names below `runs/`, and of the runs that hold something in a cache. */
export async function runsHere(folders: Folders): Promise<readonly string[]> {
  const places = [
    folders.runs,
    ...(await namesIn(folders.caches)).map((cache) =>
      join(folders.caches, cache, "refs", "speckit"),
    ),
  ];
  const names = await Promise.all(places.map(namesIn));
  return [...new Set(names.flat())].sort();
}

/** What is no folder, or not there, has no names in it. */
async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      return [];
    }
    throw error;
  }
}
