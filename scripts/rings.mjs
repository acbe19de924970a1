import { dirname, join, normalize } from "node:path/posix";

/** What each ring of packages/orchestrator/src may import: rings by name, `npm` a package, `node` a built-in module. */
const allowed = {
  domain: ["domain"],
  contract: ["domain", "contract"],
  ports: ["domain", "contract", "ports"],
  application: ["domain", "contract", "ports", "application"],
  "index.ts": ["domain", "contract", "ports", "application"],
  adapters: ["domain", "contract", "ports", "npm", "node"],
};

/** Composition and test support see everything. */
const unlimited = ["node", "testing"];

/**
 * The rule an import inside `packages/orchestrator/src` breaks, or undefined.
 *
 * @param {string} file the importing file, relative to that folder, with forward slashes
 * @param {string | undefined} specifier undefined when it is computed at run time
 */
export function brokenRing(file, specifier) {
  const ring = ringOf(file);
  if (unlimited.includes(ring)) return undefined;
  if (ring === "adapters" && adapterOf(file) === undefined)
    return "an adapter lives in a folder of its own";
  if (allowed[ring] === undefined)
    return `${file} belongs to no ring; the rings are folders of src`;
  if (specifier === undefined)
    return ring === "adapters" ? undefined : `${ring} may not import what cannot be read here`;
  if (!specifier.startsWith(".")) return brokenByPackage(ring, specifier);
  const target = normalize(join(dirname(file), specifier));
  const targetRing = ringOf(target);
  if (ring === "adapters" && targetRing === "adapters") return brokenByAdapter(file, target);
  if (allowed[ring].includes(targetRing)) return undefined;
  return mayImport(ring);
}

function brokenByPackage(ring, specifier) {
  if (specifier.startsWith("@speckit/"))
    return "the library imports no package of the workspace, itself included";
  if (ring === "contract" && /^zod(\/|$)/.test(specifier)) return undefined;
  return allowed[ring].includes(specifier.startsWith("node:") ? "node" : "npm")
    ? undefined
    : mayImport(ring);
}

/** Folders of parts that adapters are made of: no adapters themselves, they reach nothing outside. */
const parts = ["supervision"];

/**
 * adapters/agents/<name>/ shares the files directly in adapters/agents/, and parts are for everybody;
 * otherwise an adapter knows only itself.
 */
function brokenByAdapter(file, target) {
  const own = adapterOf(file);
  const other = adapterOf(target);
  if (
    other === own ||
    parts.includes(other) ||
    other?.startsWith(`${own}/`) ||
    (other === "agents" && own.startsWith("agents/"))
  )
    return undefined;
  return `adapters/${own} may not import another adapter (adapters/${other ?? ""})`;
}

/** `postgres` for adapters/postgres/runs/x.ts, `agents/codex` for adapters/agents/codex/x.ts, `agents` for its files. */
function adapterOf(path) {
  const parts = path.split("/").slice(1, -1);
  if (parts.length === 0) return undefined;
  return parts[0] === "agents" ? parts.slice(0, 2).join("/") : parts[0];
}

function ringOf(path) {
  return path.split("/")[0];
}

function mayImport(ring) {
  const others = allowed[ring].map(
    (name) => ({ npm: "npm packages", node: "node:*" })[name] ?? name,
  );
  if (ring === "contract") others.push("zod");
  if (ring === "adapters") others.push("its own folder");
  return `${ring} may import only: ${others.join(", ")}`;
}
