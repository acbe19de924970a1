import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./checkout.mjs";
import { Refusal, runScript } from "./refusal.mjs";

/** 460 MB that `npm start` must not install, 404 of them the Codex CLI; an own peer dependency counts as one to pnpm, so it is easily done. */
const testTools = [
  "@asyncapi/specs",
  "@biomejs/biome",
  "@octokit/openapi",
  "@openai/codex",
  "ajv",
  "fast-check",
  "knip",
  "testcontainers",
  "typescript",
  "vitest",
  "yaml",
];
const testPackage = "packages/testkit";

/**
 * The lockfile names no download address, so that each machine installs from the registry it is configured for, and
 * nothing that runs depends on a test tool.
 */
await runScript(async () => {
  const lines = readFileSync(join(root, "pnpm-lock.yaml"), "utf8").split("\n");
  const problems = [...downloadAddresses(lines), ...runningTestTools(lines)];
  if (problems.length > 0) throw new Refusal(`pnpm-lock.yaml:\n  ${problems.join("\n  ")}`);
  return 0;
});

function downloadAddresses(lines) {
  return lines.flatMap((line, index) =>
    line.includes("://") ? [`line ${index + 1} holds a download address: ${line.trim()}`] : [],
  );
}

/** Reads the three levels of `importers:` by their indentation: package, kind of dependency, name. */
function runningTestTools(lines) {
  const path = [];
  const problems = [];
  for (const line of lines.slice(lines.indexOf("importers:") + 1, lines.indexOf("packages:"))) {
    const [, indent, name] = /^( {2}| {4}| {6})(\S+?):/.exec(line) ?? [];
    if (name === undefined) continue;
    path.splice(indent.length / 2 - 1, 3, name.replaceAll("'", ""));
    const [importer, kind, dependency] = path;
    if (importer === testPackage || kind !== "dependencies") continue;
    if (testTools.includes(dependency)) {
      problems.push(`${importer} depends on ${dependency}; make it a devDependency`);
    }
  }
  return problems;
}
