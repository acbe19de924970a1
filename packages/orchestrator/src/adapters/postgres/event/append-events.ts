import { sql, type Transaction } from "kysely";
import type { NewEvent } from "../../../ports/attempt-commit.ts";
import { jsonText } from "../json-text.ts";
import type { Database } from "../schema.ts";

/**
 * Writes events with the next sequence numbers, in one statement: every transaction of an owner ends
 * with it. The caller's transaction has locked the run's row by its guarded update, so numbers have
 * no gap and no two owners share one.
 */
export async function appendEvents(
  trx: Transaction<Database>,
  runId: string,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) {
    return;
  }
  const { numAffectedRows } = await sql`
    WITH run AS (
      UPDATE spec_workflow_runs SET last_seq = last_seq + ${events.length}::int
      WHERE id = ${runId}
      RETURNING id, last_seq
    )
    INSERT INTO spec_workflow_events (run_id, seq, type, phase, attempt, data)
    SELECT run.id, run.last_seq - ${events.length}::int + event.ix,
      event.type, event.phase, event.attempt, event.data
    FROM run, unnest(
      ${events.map((event) => event.type)}::text[],
      ${events.map((event) => event.phase ?? null)}::text[],
      ${events.map((event) => event.attempt ?? null)}::int[],
      ${events.map((event) => jsonText(event.data ?? {}))}::jsonb[]
    ) WITH ORDINALITY AS event (type, phase, attempt, data, ix)
  `.execute(trx);
  if (numAffectedRows !== BigInt(events.length)) {
    throw new Error(`Run ${runId} is gone while its events are written`);
  }
}
