import { sql, type Transaction } from "kysely";
import { clockNow } from "../run/interval.ts";
import type { Database } from "../schema.ts";

/** A run that has what it waited for: it may be claimed now, and somebody looks in 5 s at the latest. */
export async function makeDue(trx: Transaction<Database>, runId: string): Promise<void> {
  await trx
    .updateTable("spec_workflow_runs")
    .set({
      parked_for: null,
      due_at: clockNow,
      wake_at: sql<Date>`clock_timestamp() + interval '5 seconds'`,
    })
    .where("id", "=", runId)
    .execute();
}
