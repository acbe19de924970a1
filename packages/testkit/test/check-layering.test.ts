import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/check-layering.mjs", import.meta.url));
const src = "packages/orchestrator/src";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "speckit-layering-"));
  write("pnpm-workspace.yaml", "packages:\n  - packages/*\n  - apps/*\n");
  for (const folder of ["packages/orchestrator", "packages/other", "apps/cli"]) {
    write(`${folder}/package.json`, "{}");
  }
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const broken: readonly [file: string, line: string, rule: string][] = [
  [`${src}/domain/a.ts`, 'import { b } from "../ports/b.ts";', "domain may import only: domain"],
  [`${src}/domain/b.ts`, 'import "node:fs";', "domain may import only: domain"],
  [`${src}/domain/c.ts`, 'import { z } from "zod";', "domain may import only: domain"],
  [`${src}/domain/d.ts`, "await import(name);", "domain may not import what cannot be read"],
  [`${src}/contract/a.ts`, 'import type { B } from "../ports/b.ts";', "contract may import only"],
  [`${src}/contract/b.ts`, 'import { sql } from "kysely";', "contract may import only"],
  [`${src}/ports/a.ts`, 'import type { Pool } from "pg";', "ports may import only"],
  [`${src}/ports/b.ts`, 'type P = import("pg").Pool;', "ports may import only"],
  [`${src}/application/a.ts`, 'import "../adapters/git/b.ts";', "application may import only"],
  [`${src}/application/b.ts`, 'import { z } from "zod";', "application may import only"],
  [`${src}/application/c.ts`, 'const os = require("os");', "application may import only"],
  [`${src}/adapters/git/a.ts`, 'import "../docker/b.ts";', "another adapter (adapters/docker)"],
  [`${src}/adapters/supervision/a.ts`, 'import "../docker/b.ts";', "(adapters/docker)"],
  [`${src}/adapters/git/b.ts`, 'import "../../application/b.ts";', "adapters may import only"],
  [`${src}/adapters/git/c.ts`, 'import "../../testing/b.ts";', "adapters may import only"],
  [`${src}/adapters/git/d.ts`, 'import "@speckit/orchestrator";', "no package of the workspace"],
  [`${src}/adapters/agents/codex/a.ts`, 'import "../command/b.ts";', "(adapters/agents/command)"],
  [`${src}/adapters/a.ts`, 'import "../domain/b.ts";', "an adapter lives in a folder of its own"],
  [`${src}/helpers/a.ts`, 'import "../domain/b.ts";', "belongs to no ring"],
  [`${src}/index.ts`, 'export * from "./adapters/git/b.ts";', "index.ts may import only"],
  [`${src}/node/a.ts`, 'import "../../../other/src/b.ts";', "may not leave packages/orchestrator"],
  ["apps/cli/src/a.ts", 'import "../../../packages/other/src/b.ts";', "may not leave apps/cli"],
  ["apps/cli/src/b.ts", 'import "@speckit/other/src/b.ts";', "import what a package exports"],
];

it("an import that breaks a ring or a package's border fails the build, named with its line", () => {
  for (const [file, line] of broken) {
    write(file, `// The violation is on line 3.\n\n${line}\n`);
  }
  const { status, output } = checkLayering();
  for (const [file, , rule] of broken) {
    const reported = output.split("\n").filter((text) => text.startsWith(`${file}:3 imports `));
    expect(reported, file).toEqual([expect.stringContaining(rule)]);
  }
  expect(output).toContain(`${broken.length} violations`);
  expect(status).toBe(1);
});

it("what the rings allow passes", () => {
  write(
    `${src}/domain/a.ts`,
    'import { b } from "./b.ts";\nexport type { C } from "./deep/c.ts";\n',
  );
  write(`${src}/contract/a.ts`, 'import { z } from "zod";\nimport "../domain/a.ts";\n');
  write(`${src}/ports/a.ts`, 'import type { A } from "../contract/a.ts";\n');
  write(`${src}/application/a.ts`, 'import { a } from "../ports/a.ts";\nimport "./deep/b.ts";\n');
  write(
    `${src}/adapters/git/deep/a.ts`,
    'import "../b.ts";\nimport "../../supervision/a.ts";\nimport "node:fs";\nimport "execa";\n',
  );
  write(`${src}/adapters/agents/codex/a.ts`, 'import "../read-lines.ts";\nimport "./b.ts";\n');
  write(`${src}/adapters/agents/index.ts`, 'export { a } from "./codex/a.ts";\n');
  write(
    `${src}/node/open.ts`,
    'import "../adapters/git/deep/a.ts";\nimport "../application/a.ts";\n',
  );
  write(`${src}/testing/a.ts`, 'import { it } from "vitest";\nimport "../adapters/git/b.ts";\n');
  write(`${src}/index.ts`, 'export { a } from "./application/a.ts";\n');
  write("packages/orchestrator/test/a.test.ts", 'import "../src/adapters/git/deep/a.ts";\n');
  write("apps/cli/src/a.ts", 'import { Orchestrator } from "@speckit/orchestrator/node";\n');
  expect(checkLayering()).toEqual({ status: 0, output: "layering: 12 files, 0 violations\n" });
});

it("text that only looks like an import is not one", () => {
  const quiet = [
    '// import { b } from "pg";',
    '/* export * from "pg"; */',
    "const text = 'import \"pg\"';",
    'const template = `import "pg" $' + '{`import("pg")`} from "pg"`;',
    'const pattern = /["\'`]/; const half = 4 / 2; // import "pg"',
    'registry.import("pg");',
    'const from = "pg";',
  ];
  write(`${src}/domain/a.ts`, quiet.join("\n"));
  expect(checkLayering()).toEqual({ status: 0, output: "layering: 1 files, 0 violations\n" });
});

it("an import over several lines, behind a regular expression or a template, is found", () => {
  const lines = [
    'const pattern = /[/"]/.test("`");',
    "const template = `$" + "{pattern ? `{` : '}'}`;",
    "import {",
    "  type Pool as PgPool,",
    '} from "pg";',
  ];
  write(`${src}/domain/a.ts`, lines.join("\n"));
  expect(checkLayering().output).toContain(`${src}/domain/a.ts:5 imports "pg"`);
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function checkLayering(): { status: number | null; output: string } {
  const run = spawnSync(process.execPath, [script, root], { encoding: "utf8" });
  return { status: run.status, output: run.stderr + run.stdout };
}
