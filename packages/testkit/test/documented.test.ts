import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const architecture = readFileSync(join(root, "docs", "architecture.md"), "utf8");

test("every table is documented, and no other", () => {
  const sql = readdirSync(join(root, "migrations"))
    .map((name) => readFileSync(join(root, "migrations", name), "utf8"))
    .join("\n");
  const made = [...sql.matchAll(/CREATE TABLE (\w+)/g)].map((match) => match[1]);
  // The migrator makes its own two.
  const own = ["spec_workflow_migrations", "spec_workflow_migration_lock"];
  const told = [...architecture.matchAll(/`(spec_workflow_\w+)`/g)].map((match) => match[1]);
  expect([...new Set(told)].sort()).toEqual([...made, ...own].sort());
});

test("every page is linked from the README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  for (const page of readdirSync(join(root, "docs"))) {
    expect(readme).toContain(`docs/${page}`);
  }
});
