import { sql, type Transaction } from "kysely";
import type { Outcome } from "../../../domain/run-state.ts";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { AttemptCommit } from "../../../ports/attempt-commit.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import { appendEvents } from "../event/append-events.ts";
import { jsonText } from "../json-text.ts";
import type { Database } from "../schema.ts";
import { clockNow, fromNow } from "./interval.ts";

/**
 * Ends the run, once. A cancel that was stored before this commit wins over any other outcome: the
 * row is locked, so there is no moment in between.
 */
export async function setOutcome(
  trx: Transaction<Database>,
  hold: Hold,
  wanted: NonNullable<AttemptCommit["outcome"]>,
  artifactRetentionMs: number,
): Promise<Outcome> {
  const failure = wanted.failure === undefined ? null : jsonText(wanted.failure);
  const row = await trx
    .updateTable("spec_workflow_runs")
    .set({
      outcome: sql<string>`CASE WHEN cancel_requested_at IS NULL THEN ${wanted.outcome} ELSE 'cancelled' END`,
      failure: sql<string | null>`CASE WHEN cancel_requested_at IS NULL THEN ${failure}::jsonb END`,
      parked_for: null,
      finished_at: clockNow,
      due_at: clockNow,
      artifacts_expire_at: fromNow(artifactRetentionMs),
    })
    .where("id", "=", hold.runId)
    .where("epoch", "=", hold.epoch)
    .where("outcome", "is", null)
    .returning("outcome")
    .executeTakeFirst();
  if (row === undefined) {
    throw fencedError(hold.runId, hold.epoch);
  }
  const outcome = row.outcome as Outcome;
  const { neverStarted, events } = wanted.closing(outcome);
  if (neverStarted.length > 0) {
    await trx
      .insertInto("spec_workflow_task_states")
      .values(
        neverStarted.map(({ phase, state }) => ({
          run_id: hold.runId,
          phase,
          attempt: 0,
          state,
          epoch: hold.epoch,
          ended_at: clockNow,
        })),
      )
      .execute();
  }
  await appendEvents(trx, hold.runId, [
    ...neverStarted.map(({ phase, state }) => ({
      type: state === "skipped" ? ("phase.skipped" as const) : ("phase.cancelled" as const),
      phase,
      attempt: 0,
    })),
    ...events,
  ]);
  return outcome;
}
