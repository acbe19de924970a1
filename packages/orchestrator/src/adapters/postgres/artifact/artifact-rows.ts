import { type Kysely, sql, type Transaction } from "kysely";
import type { StoredArtifact } from "../../../ports/artifact-store.ts";
import type { Database } from "../schema.ts";

/** Records artifacts; one of the same name replaces the row, as its file replaced the file. */
export async function insertArtifacts(
  trx: Transaction<Database>,
  runId: string,
  artifacts: readonly StoredArtifact[],
): Promise<void> {
  if (artifacts.length === 0) {
    return;
  }
  // One statement cannot replace a row twice: of one name, the last counts.
  const rows = new Map(
    artifacts.map(({ name, bytes, sha256, truncated = false }) => [
      name,
      { run_id: runId, name, bytes, sha256, truncated },
    ]),
  );
  await trx
    .insertInto("spec_workflow_artifacts")
    .values([...rows.values()])
    .onConflict((conflict) =>
      conflict.columns(["run_id", "name"]).doUpdateSet({
        bytes: (eb) => eb.ref("excluded.bytes"),
        sha256: (eb) => eb.ref("excluded.sha256"),
        truncated: (eb) => eb.ref("excluded.truncated"),
        created_at: sql`clock_timestamp()`,
      }),
    )
    .execute();
}

export async function artifactsOf(
  database: Kysely<Database>,
  runId: string,
): Promise<readonly StoredArtifact[]> {
  const rows = await database
    .selectFrom("spec_workflow_artifacts")
    .select(["name", "bytes", "sha256", "truncated"])
    .where("run_id", "=", runId)
    .orderBy("created_at")
    .orderBy("name")
    .execute();
  return rows.map(({ truncated, ...row }) => (truncated ? { ...row, truncated } : row));
}
