import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { root } from "../checkout.mjs";

/**
 * Writes the files that differ from what they should be, or with `check` says which do and sets exit code 1.
 *
 * @param how the command that writes them
 */
export async function writeOrCheck(folder, files, { check, how }) {
  const behind = [];
  for (const { name, text } of files) {
    const path = join(folder, name);
    if ((await readFile(path, "utf8").catch(() => undefined)) === text) continue;
    behind.push(relative(root, path));
    if (!check) await writeFile(path, text);
  }
  if (check && behind.length > 0) {
    process.stderr.write(`${behind.join(", ")}: behind the code. Run: ${how}\n`);
    process.exitCode = 1;
  }
}
