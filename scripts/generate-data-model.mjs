// Writes docs/data-model.md from a really migrated schema: that of a new embedded database, or with
// `--database URL` that of a database which is migrated already. With --check it only compares, and
// exits 1 where the page is behind. Run under Node 24.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openEmbeddedDatabase } from "@speckit/embedded-database";
import { migrateDatabase } from "@speckit/orchestrator/node";
import pg from "pg";
import { root } from "./checkout.mjs";
import { dataModel } from "./docs/data-model.mjs";
import { writeOrCheck } from "./docs/write-or-check.mjs";

const { values } = parseArgs({
  options: { check: { type: "boolean", default: false }, database: { type: "string" } },
});
const text =
  values.database === undefined ? await ofNewDatabase() : await ofDatabase(values.database);
await writeOrCheck(join(root, "docs"), [{ name: "data-model.md", text }], {
  check: values.check,
  how: "pnpm docs:generate",
});

async function ofNewDatabase() {
  const stateDir = await mkdtemp(join(tmpdir(), "speckit-data-model-"));
  try {
    await using database = await openEmbeddedDatabase({ stateDir, idleStopMs: 0 });
    await migrateDatabase(database.connectionString);
    return await ofDatabase(database.connectionString);
  } finally {
    await rm(stateDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

async function ofDatabase(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await dataModel(client);
  } finally {
    await client.end();
  }
}
