import type { Transaction } from "kysely";
import type { NewEvent } from "../../../ports/run-repository.ts";
import { jsonText } from "../json-text.ts";
import type { Database } from "../schema.ts";

/**
 * Writes events with the next sequence numbers. The caller's transaction has locked the run's row
 * by its guarded update, so numbers have no gap and no two owners share one.
 */
export async function appendEvents(
  trx: Transaction<Database>,
  runId: string,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) {
    return;
  }
  const { last_seq: lastSeq } = await trx
    .updateTable("spec_workflow_runs")
    .set((eb) => ({ last_seq: eb("last_seq", "+", events.length) }))
    .where("id", "=", runId)
    .returning("last_seq")
    .executeTakeFirstOrThrow();
  await trx
    .insertInto("spec_workflow_events")
    .values(
      events.map((event, ix) => ({
        run_id: runId,
        seq: lastSeq - events.length + 1 + ix,
        type: event.type,
        phase: event.phase ?? null,
        attempt: event.attempt ?? null,
        data: jsonText(event.data ?? {}),
      })),
    )
    .execute();
}
