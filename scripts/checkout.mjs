import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's root folder, wherever the command was started. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Git-ignored: Node, pnpm, and the record of what is installed. */
export const toolchain = join(root, ".toolchain");

/** Folders of the workspace's packages, relative to `folder`, sorted. */
export function workspacePackages(folder = root) {
  const yaml = readFileSync(join(folder, "pnpm-workspace.yaml"), "utf8");
  // Only the one form the file uses: `  - folder/*`. A YAML parser would be a dependency before any is installed.
  const parents = [...yaml.matchAll(/^ {2}- (["']?)([\w-]+)\/\*\1$/gm)].map((match) => match[2]);
  return parents
    .filter((parent) => existsSync(join(folder, parent)))
    .flatMap((parent) => readdirSync(join(folder, parent)).map((name) => join(parent, name)))
    .filter((path) => existsSync(join(folder, path, "package.json")))
    .sort();
}
