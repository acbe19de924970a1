import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { root as checkout, workspacePackages } from "./checkout.mjs";
import { findImports } from "./find-imports.mjs";
import { runScript } from "./refusal.mjs";
import { brokenRing } from "./rings.mjs";

const library = "packages/orchestrator/src";
const ignored = new Set(["node_modules", "dist", "coverage"]);
const isSource = /\.(?:[cm]?[jt]s)$/;

/**
 * `check-layering.mjs [root]`: exit 1 when an import crosses a ring of the library or a package's border.
 *
 * Prints `file:line imports "…": rule` for each, so that an editor can jump to it.
 */
await runScript(async () => {
  const root = resolve(process.argv[2] ?? checkout);
  const packages = workspacePackages(root);
  const files = packages.flatMap((folder) =>
    sourcesIn(root, folder).map((file) => ({ folder, file })),
  );
  const violations = files.flatMap(({ folder, file }) => check(root, folder, file));
  for (const line of violations) console.error(line);
  console.log(`layering: ${files.length} files, ${violations.length} violations`);
  return violations.length === 0 ? 0 : 1;
});

function check(root, folder, file) {
  const imports = findImports(readFileSync(join(root, file), "utf8"));
  return imports.flatMap(({ specifier, line }) => {
    const rule = brokenBorder(root, folder, file, specifier) ?? brokenInLibrary(file, specifier);
    if (rule === undefined) return [];
    return [
      `${file}:${line} imports ${specifier === undefined ? "a computed name" : `"${specifier}"`}: ${rule}`,
    ];
  });
}

/** Another package is reached by its name and what it exports, never by the path of a file in it. */
function brokenBorder(root, folder, file, specifier) {
  if (specifier === undefined) return undefined;
  if (/^@speckit\/[^/]+\/(?:src|test|dist)(?:\/|$)/.test(specifier))
    return "import what a package exports, not its files";
  if (!specifier.startsWith(".")) return undefined;
  const target = relative(join(root, folder), resolve(root, dirname(file), specifier));
  return target.startsWith(`..${sep}`) ? `a relative import may not leave ${folder}` : undefined;
}

function brokenInLibrary(file, specifier) {
  const inside = file.startsWith(`${library}/`) ? file.slice(library.length + 1) : undefined;
  return inside === undefined ? undefined : brokenRing(inside, specifier);
}

/** Paths relative to the root, with forward slashes. */
function sourcesIn(root, folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory())
      return ignored.has(entry.name) || entry.name.startsWith(".") ? [] : sourcesIn(root, path);
    return entry.isFile() && isSource.test(entry.name) ? [path] : [];
  });
}
