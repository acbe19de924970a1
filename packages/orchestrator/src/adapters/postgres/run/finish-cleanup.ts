import { type Kysely, sql } from "kysely";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";
import { clockNow, fromNow, LOOK_AGAIN_MS } from "./interval.ts";

/**
 * The end of all writing to a run: its last event has been confirmed, and none is written after it.
 * While one is unsent the run stays live, and the sweeper looks at it again.
 */
export async function finishCleanup(
  database: Kysely<Database>,
  hold: Hold,
  attempt: number,
): Promise<boolean> {
  return inTransaction(database, async (trx) => {
    const allSent = sql<boolean>`sent_seq = last_seq`;
    const row = await trx
      .updateTable("spec_workflow_runs")
      .set({
        cleaned_at: sql<Date | null>`CASE WHEN ${allSent} THEN clock_timestamp() END`,
        wake_at: sql<Date | null>`CASE WHEN NOT (${allSent}) THEN ${fromNow(LOOK_AGAIN_MS)} END`,
        lease_owner: null,
        lease_until: null,
        handed_over: true,
      })
      .where("id", "=", hold.runId)
      .where("epoch", "=", hold.epoch)
      .where("cleaned_at", "is", null)
      .where("outcome", "is not", null)
      .returning("cleaned_at")
      .executeTakeFirst();
    if (row === undefined) {
      throw fencedError(hold.runId, hold.epoch);
    }
    if (row.cleaned_at === null) {
      return false;
    }
    const closed = await trx
      .updateTable("spec_workflow_task_states")
      .set({ state: "succeeded", ended_at: clockNow })
      .where("run_id", "=", hold.runId)
      .where("phase", "=", "cleanup")
      .where("attempt", "=", attempt)
      .where("state", "=", "running")
      .returning("attempt")
      .executeTakeFirst();
    if (closed === undefined) {
      throw fencedError(hold.runId, hold.epoch);
    }
    return true;
  });
}
