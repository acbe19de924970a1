import { type Kysely, sql } from "kysely";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { NewEvent } from "../../../ports/attempt-commit.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import { appendEvents } from "../event/append-events.ts";
import type { Database } from "../schema.ts";
import { inTransaction, type Queryable } from "../transaction.ts";
import { AFTER_LEASE_MS, fromNow, LOOK_AGAIN_MS } from "./interval.ts";

/** Renews the leases of all these holds in one statement; those that do not come back are fenced. */
export async function renewLeases(
  database: Queryable,
  holds: readonly Hold[],
  leaseMs: number,
): Promise<readonly { readonly runId: string; readonly cancelRequested: boolean }[]> {
  const ids = holds.map((hold) => hold.runId);
  const epochs = holds.map((hold) => hold.epoch);
  const result = await sql<{ runId: string; cancelRequested: boolean }>`
    UPDATE spec_workflow_runs AS run
    SET lease_until = ${fromNow(leaseMs)}, wake_at = ${fromNow(leaseMs + AFTER_LEASE_MS)}
    FROM unnest(${ids}::uuid[], ${epochs}::bigint[]) AS held (id, epoch)
    WHERE run.id = held.id AND run.epoch = held.epoch AND run.lease_owner IS NOT NULL
      AND run.cleaned_at IS NULL
    RETURNING run.id AS "runId", run.cancel_requested_at IS NOT NULL AS "cancelRequested"
  `.execute(database);
  return result.rows;
}

/** Gives a lease back in good order; the sweeper looks in 15 s if the wake-up gets lost. */
export async function releaseRun(
  database: Kysely<Database>,
  hold: Hold,
  events: readonly NewEvent[],
): Promise<void> {
  await inTransaction(database, async (trx) => {
    const released = await trx
      .updateTable("spec_workflow_runs")
      .set({
        lease_owner: null,
        lease_until: null,
        handed_over: true,
        wake_at: fromNow(LOOK_AGAIN_MS),
      })
      .where("id", "=", hold.runId)
      .where("epoch", "=", hold.epoch)
      .where("cleaned_at", "is", null)
      .returning("id")
      .executeTakeFirst();
    if (released === undefined) {
      throw fencedError(hold.runId, hold.epoch);
    }
    await appendEvents(trx, hold.runId, events);
  });
}
