import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Every regular file below a folder that holds a text, as bytes, hidden and binary ones too. */
export async function filesWith(folder: string, text: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    // A file may go while it is looked for: a database is at work here.
    const content = entry.isFile() ? await readFile(path).catch(() => undefined) : undefined;
    if (content?.includes(text)) {
      found.push(path);
    }
  }
  return found;
}
