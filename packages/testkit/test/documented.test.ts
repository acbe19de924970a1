import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

test("every page and file of docs/ is linked from the README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  for (const page of readdirSync(join(root, "docs"))) {
    expect(readme).toContain(`docs/${page}`);
  }
});
