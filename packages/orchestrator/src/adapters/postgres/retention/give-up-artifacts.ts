import { type Kysely, sql } from "kysely";
import { isRunId } from "../run/is-run-id.ts";
import type { Database } from "../schema.ts";
import type { Queryable } from "../transaction.ts";
import { oneAtATime } from "./at-a-time.ts";

/**
 * Marks artifacts as given up. The mark comes before the first file goes: a crash after it leaves
 * files that the next pass deletes, never a run that promises files which are gone. Whoever wants to
 * keep the run changes the same row: one of the two comes first, and the other finds it so.
 */
export async function giveUpArtifacts(
  database: Kysely<Database>,
  limit: number,
): Promise<number | undefined> {
  return oneAtATime(database, async (trx) => {
    const { numAffectedRows } = await sql`
      UPDATE spec_workflow_runs SET artifacts_deleted_at = clock_timestamp()
      WHERE id = ANY(ARRAY(
        SELECT id FROM spec_workflow_runs
        WHERE artifacts_deleted_at IS NULL AND kept_at IS NULL AND cleaned_at IS NOT NULL
          AND artifacts_expire_at <= statement_timestamp()
        ORDER BY artifacts_expire_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
      ))
    `.execute(trx);
    return Number(numAffectedRows ?? 0);
  });
}

export async function givenUpArtifacts(
  database: Queryable,
  runIds: readonly string[],
): Promise<readonly string[]> {
  const rows = await database
    .selectFrom("spec_workflow_runs")
    .select("id")
    .where(sql<boolean>`id = ANY(${runIds.filter(isRunId)}::uuid[])`)
    .where("artifacts_deleted_at", "is not", null)
    .execute();
  return rows.map(({ id }) => id);
}

/** By id, a page at a time. */
export async function runsWithArtifacts(
  database: Queryable,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<readonly string[]> {
  let query = database
    .selectFrom("spec_workflow_runs")
    .select("id")
    .where("cleaned_at", "is not", null)
    .where("artifacts_deleted_at", "is", null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("spec_workflow_artifacts")
          .select("name")
          .whereRef("run_id", "=", "spec_workflow_runs.id"),
      ),
    );
  if (after !== undefined) {
    query = query.where("id", ">", after);
  }
  const rows = await query.orderBy("id").limit(limit).execute();
  return rows.map(({ id }) => id);
}
