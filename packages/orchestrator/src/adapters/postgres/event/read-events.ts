import { type Selectable, sql } from "kysely";
import type { EventRecord } from "../../../ports/run-record.ts";
import type { EventsTable } from "../schema.ts";
import type { Queryable } from "../transaction.ts";

export async function eventsAfter(
  database: Queryable,
  runId: string,
  range: { readonly afterSeq: number; readonly limit: number },
): Promise<readonly EventRecord[]> {
  const rows = await database
    .selectFrom("spec_workflow_events")
    .selectAll()
    .where("run_id", "=", runId)
    .where("seq", ">", range.afterSeq)
    .orderBy("seq")
    .limit(range.limit)
    .execute();
  return rows.map(eventRecord);
}

/** Events past the run's watermark. */
export async function unsentEvents(
  database: Queryable,
  runId: string,
  limit: number,
): Promise<readonly EventRecord[]> {
  const rows = await database
    .selectFrom("spec_workflow_events as event")
    .innerJoin("spec_workflow_runs as run", "run.id", "event.run_id")
    .selectAll("event")
    .where("event.run_id", "=", runId)
    .whereRef("event.seq", ">", "run.sent_seq")
    .orderBy("event.seq")
    .limit(limit)
    .execute();
  return rows.map(eventRecord);
}

/**
 * Moves the watermark; a late second sender does not move it back. Does not wait for the disk: the
 * owner's next write would wait for this one's lock on the row meanwhile. A watermark that a crash
 * of the server takes back costs what a crash before this statement would: events are sent again,
 * under the same ids. Whatever is committed after it, in whichever session, is on disk after it.
 */
export async function markEventsSent(
  database: Queryable,
  runId: string,
  seq: number,
): Promise<void> {
  await database
    .updateTable("spec_workflow_runs")
    .set({ sent_seq: seq })
    .where("id", "=", runId)
    .where("sent_seq", "<", seq)
    .where(sql<string>`set_config('synchronous_commit', 'off', true)`, "=", "off")
    .execute();
}

export function eventRecord(row: Selectable<EventsTable>): EventRecord {
  return {
    runId: row.run_id,
    seq: row.seq,
    type: row.type as EventRecord["type"],
    phase: row.phase as EventRecord["phase"],
    attempt: row.attempt,
    data: row.data as EventRecord["data"],
    createdAt: row.created_at,
  };
}
