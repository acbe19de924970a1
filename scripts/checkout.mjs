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
  // Only the two forms the file uses: `  - folder/*` and `  - folder`. A YAML parser would be a dependency before any
  // is installed.
  return [...yaml.matchAll(/^ {2}- (["']?)([\w-]+)(\/\*)?\1$/gm)]
    .filter(([, , name]) => existsSync(join(folder, name)))
    .flatMap(([, , name, all]) =>
      all === undefined ? [name] : readdirSync(join(folder, name)).map((one) => join(name, one)),
    )
    .filter((path) => existsSync(join(folder, path, "package.json")))
    .sort();
}
