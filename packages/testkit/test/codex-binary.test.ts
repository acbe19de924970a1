import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { codexBinary } from "../src/codex-binary.ts";

test("the real Codex CLI is there, in the version that is pinned", () => {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const pinned = JSON.parse(manifest).devDependencies["@openai/codex"];
  const said = execFileSync(codexBinary(), ["--version"], { encoding: "utf8" });
  expect(said.trim()).toBe(`codex-cli ${pinned}`);
});
