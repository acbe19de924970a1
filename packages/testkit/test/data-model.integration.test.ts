import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { statement } from "../src/database-statement.ts";
import { runProgram, testDatabase } from "../src/index.ts";

const generator = fileURLToPath(
  new URL("../../../scripts/generate-data-model.mjs", import.meta.url),
);
const database = await testDatabase();
const check = () => runProgram(generator, ["--check", "--database", database.url]);

test("docs/data-model.md is the migrated schema, and is behind as soon as that changes", async () => {
  expect(await check()).toMatchObject({ exitCode: 0, stderr: "" });
  await statement(database.url, "ALTER TABLE spec_workflow_runs ALTER COLUMN pushed DROP DEFAULT");
  expect(await check()).toMatchObject({
    exitCode: 1,
    stderr: "docs/data-model.md: behind the code. Run: pnpm docs:generate\n",
  });
  await statement(database.url, "CREATE TABLE spec_workflow_untold (id uuid)");
  expect((await check()).stderr).toContain("Table spec_workflow_untold has no comment");
});
