import { type Kysely, sql } from "kysely";
import { appendEvents } from "../event/append-events.ts";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";
import { clockNow } from "./interval.ts";
import { isRunId } from "./is-run-id.ts";

/** Stores a cancel and marks the run; the same command twice is one. */
export async function requestCancel(
  database: Kysely<Database>,
  runId: string,
  commandId: string,
): Promise<boolean> {
  if (!isRunId(runId)) {
    return false;
  }
  return inTransaction(database, async (trx) => {
    const marked = await trx
      .updateTable("spec_workflow_runs")
      .set((eb) => ({
        cancel_requested_at: eb.fn.coalesce("cancel_requested_at", clockNow),
        wake_at: sql<Date>`least(wake_at, clock_timestamp() + interval '5 seconds')`,
      }))
      .where("id", "=", runId)
      .where("outcome", "is", null)
      .returning("id")
      .executeTakeFirst();
    if (marked === undefined) {
      return false;
    }
    const stored = await trx
      .insertInto("spec_workflow_commands")
      .values({ id: commandId, run_id: runId, command: "cancel" })
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .executeTakeFirst();
    if (stored !== undefined) {
      await appendEvents(trx, runId, [{ type: "run.cancel_requested", data: { commandId } }]);
    }
    return true;
  });
}
