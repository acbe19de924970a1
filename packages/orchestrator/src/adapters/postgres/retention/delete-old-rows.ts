import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Database } from "../schema.ts";
import { oneAtATime } from "./at-a-time.ts";

/** Between the giving up of artifacts and the end of the rows that tell hosts of it. */
const FILES_FIRST_MS = 86_400_000;

/**
 * Deletes runs whose time is over. What hangs on a run goes by its foreign keys; a run that goes on
 * from it stays, and says no more from which. A run that somebody keeps has no mark of given up
 * artifacts, by a constraint, and so has none that is live.
 */
export async function deleteOldRows(
  database: Kysely<Database>,
  { olderThanMs, limit }: { readonly olderThanMs: number; readonly limit: number },
): Promise<{ readonly runs: number; readonly workers: number } | undefined> {
  return oneAtATime(database, async (trx) => {
    const runs = await sql`
      DELETE FROM spec_workflow_runs
      WHERE id = ANY(ARRAY(
        SELECT id FROM spec_workflow_runs
        WHERE artifacts_deleted_at <= ${ago(FILES_FIRST_MS)}
          AND finished_at <= ${ago(olderThanMs)}
        ORDER BY finished_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
      ))
    `.execute(trx);
    const workers = await sql`
      DELETE FROM spec_workflow_workers
      WHERE id = ANY(ARRAY(
        SELECT id FROM spec_workflow_workers AS worker
        WHERE seen_at <= ${ago(olderThanMs)}
          AND NOT EXISTS (SELECT FROM spec_workflow_runs WHERE lease_owner = worker.id)
        ORDER BY seen_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
      ))
    `.execute(trx);
    return {
      runs: Number(runs.numAffectedRows ?? 0),
      workers: Number(workers.numAffectedRows ?? 0),
    };
  });
}

/** Of the statement, one moment for all rows: an index can be asked for what is older. */
function ago(ms: number): RawBuilder<Date> {
  return sql<Date>`statement_timestamp() - ${ms}::float8 * interval '1 millisecond'`;
}
