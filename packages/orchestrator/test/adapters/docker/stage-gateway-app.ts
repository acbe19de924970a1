import { existsSync } from "node:fs";
import { chmod, cp, mkdir, readdir, realpath } from "node:fs/promises";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "../../../../..");
const STORE = join(ROOT, "node_modules/.pnpm");

/**
 * Copies `apps/gateway` as it runs from the sources, with all it needs, to where every user of the
 * machine may read it: a checkout may lie in a folder that is its owner's alone.
 */
export async function stageGatewayApp(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const name of ["apps/gateway", "packages/orchestrator"]) {
    for (const part of ["package.json", "src", "node_modules"]) {
      await copy(join(ROOT, name, part), folder);
    }
  }
  const waiting = await storeFoldersOf(join(ROOT, "packages/orchestrator/node_modules"));
  const copied = new Set<string>();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (!copied.has(next)) {
      copied.add(next);
      await copy(next, folder);
      waiting.push(...(await storeFoldersOf(join(next, "node_modules"))));
    }
  }
}

/** With links as they are: those of pnpm stay inside the checkout. */
async function copy(path: string, folder: string): Promise<void> {
  const target = join(folder, relative(ROOT, path));
  await mkdir(dirname(target), { recursive: true });
  await cp(path, target, { recursive: true, verbatimSymlinks: true });
}

/** Where the packages that a `node_modules` links to are in pnpm's store; those for developing left out. */
async function storeFoldersOf(modules: string): Promise<string[]> {
  const found = new Set<string>();
  for (const name of existsSync(modules) ? await readdir(modules) : []) {
    const names = name.startsWith("@")
      ? (await readdir(join(modules, name))).map((inner) => join(name, inner))
      : [name];
    for (const one of names.filter((each) => !FOR_DEVELOPING.test(each))) {
      const path = await realpath(join(modules, one)).catch(() => "");
      if (path.startsWith(STORE)) {
        found.add(join(STORE, relative(STORE, path).split("/")[0] ?? ""));
      }
    }
  }
  return [...found];
}

const FOR_DEVELOPING = /^(?:\.|@types|@speckit|vitest|vite|publint|typescript)/;
