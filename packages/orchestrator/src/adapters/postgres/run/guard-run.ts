import type { Transaction } from "kysely";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import type { Database } from "../schema.ts";

/**
 * Locks the run's row for a writer that still holds it. The first statement of every owner's
 * transaction is this or a guarded update: no row means fenced, and the transaction is rolled back.
 *
 * @throws SpeckitError `RUN_FENCED`
 */
export async function guardRun(
  trx: Transaction<Database>,
  hold: Hold,
): Promise<{ readonly ended: boolean }> {
  const row = await trx
    .selectFrom("spec_workflow_runs")
    .select("outcome")
    .where("id", "=", hold.runId)
    .where("epoch", "=", hold.epoch)
    .where("cleaned_at", "is", null)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) {
    throw fencedError(hold.runId, hold.epoch);
  }
  return { ended: row.outcome !== null };
}
