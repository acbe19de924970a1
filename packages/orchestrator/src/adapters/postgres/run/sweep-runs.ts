import { sql } from "kysely";
import type { Queryable } from "../transaction.ts";
import { fromNow } from "./interval.ts";

/**
 * The safety net under the broker: every run says when it must be looked at next, and this looks.
 * It never asks whether a message is on its way: a worker that is cut off from the database may
 * hold that message for ever. Each look without a claim puts the next one twice as far off, to at
 * most half an hour, so a backlog does not drown in wake-ups. The rows are picked in a materialized
 * part of the statement: a plan that ran it twice would pick more than the limit. They are found by
 * the statement's own time, which an index can serve; it waits for no lock, so that is not old.
 */
export async function sweepRuns(
  database: Queryable,
  options: { readonly limit: number; readonly leaseMs: number; readonly only?: string },
): Promise<readonly { readonly runId: string; readonly everClaimed: boolean }[]> {
  const only = options.only ?? null;
  const result = await sql<{ runId: string; everClaimed: boolean }>`
    WITH due AS MATERIALIZED (
      SELECT id FROM spec_workflow_runs
      WHERE wake_at <= statement_timestamp()
        AND (lease_until IS NULL OR lease_until <= clock_timestamp()
          OR lease_until > ${fromNow(2 * options.leaseMs)})
        AND (${only}::uuid IS NULL OR id = ${only}::uuid)
      ORDER BY wake_at
      LIMIT ${options.limit}
      FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE spec_workflow_runs AS run
    SET sweeps = sweeps + 1,
      wake_at = clock_timestamp()
        + least(interval '30 minutes', interval '30 seconds' * 2 ^ least(sweeps, 6))
    FROM due
    WHERE run.id = due.id
    RETURNING run.id AS "runId", run.epoch > 0 AS "everClaimed"
  `.execute(database);
  return result.rows;
}

/** Counts on an index of their own: the finished runs of a year are not looked at. */
export async function countNeverClaimed(database: Queryable): Promise<number> {
  const { runs } = await database
    .selectFrom("spec_workflow_runs")
    .select((eb) => eb.fn.countAll<number>().as("runs"))
    .where("epoch", "=", 0)
    .executeTakeFirstOrThrow();
  return runs;
}

/** Runs with events that their owner did not get to send; their owner is gone. */
export async function runsWithUnsentEvents(
  database: Queryable,
  limit: number,
): Promise<readonly string[]> {
  const rows = await database
    .selectFrom("spec_workflow_runs")
    .select("id")
    .whereRef("sent_seq", "<", "last_seq")
    .where((eb) =>
      eb.or([eb("lease_until", "is", null), sql<boolean>`lease_until <= clock_timestamp()`]),
    )
    .orderBy("created_at")
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}
