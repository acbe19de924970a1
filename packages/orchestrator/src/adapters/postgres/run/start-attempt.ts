import { type Kysely, sql } from "kysely";
import type { Phase } from "../../../domain/phase.ts";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { JobName } from "../../../ports/job-runtime.ts";
import type { Hold, RunRepository } from "../../../ports/run-repository.ts";
import { insertArtifacts } from "../artifact/artifact-rows.ts";
import { appendEvents } from "../event/append-events.ts";
import type { Database } from "../schema.ts";
import { inTransaction, type Queryable } from "../transaction.ts";
import { guardRun } from "./guard-run.ts";
import { clockNow } from "./interval.ts";

/**
 * Opens the next attempt. Numbers only grow; a unique index keeps it the run's only open one. Of an
 * ended run only cleanup starts, and of a live one everything else: the other way round is a bug.
 */
export async function startAttempt(
  database: Kysely<Database>,
  hold: Hold,
  phase: Phase,
): Promise<number> {
  return inTransaction(database, async (trx) => {
    const { ended } = await guardRun(trx, hold);
    if (ended !== (phase === "cleanup")) {
      throw new Error(
        `Run ${hold.runId} ${ended ? "has" : "has not"} ended: ${phase} cannot start`,
      );
    }
    const { attempt } = await trx
      .insertInto("spec_workflow_task_states")
      .columns(["run_id", "phase", "attempt", "state", "epoch", "started_at"])
      .expression((eb) =>
        eb
          .selectFrom("spec_workflow_task_states")
          .select([
            sql<string>`${hold.runId}::uuid`.as("run_id"),
            sql<string>`${phase}`.as("phase"),
            sql<number>`coalesce(max(attempt), 0) + 1`.as("attempt"),
            sql<string>`'running'`.as("state"),
            sql<number>`${hold.epoch}::bigint`.as("epoch"),
            clockNow.as("started_at"),
          ])
          .where("run_id", "=", hold.runId)
          .where("phase", "=", phase),
      )
      .returning("attempt")
      .executeTakeFirstOrThrow();
    await appendEvents(trx, hold.runId, [{ type: "phase.started", phase, attempt }]);
    return attempt;
  });
}

/** Stores where the open attempt's container is, and what is told of it: all or nothing. */
export async function placeAttempt(
  database: Kysely<Database>,
  hold: Hold,
  { phase, attempt, place, events, artifacts }: Parameters<RunRepository["placeAttempt"]>[1],
): Promise<void> {
  await inTransaction(database, async (trx) => {
    await guardRun(trx, hold);
    const placed = await trx
      .updateTable("spec_workflow_task_states")
      .set({
        engine_id: place.engineId,
        container_id: place.containerId,
        token_key: place.tokenKey,
      })
      .where("run_id", "=", hold.runId)
      .where("phase", "=", phase)
      .where("attempt", "=", attempt)
      .where("state", "=", "running")
      .returning("attempt")
      .executeTakeFirst();
    if (placed === undefined) {
      throw fencedError(hold.runId, hold.epoch);
    }
    await insertArtifacts(trx, hold.runId, artifacts);
    await appendEvents(trx, hold.runId, events);
  });
}

/** Those of the named attempts that are open, of runs without an outcome. */
export async function openAttempts(
  database: Queryable,
  names: readonly JobName[],
): Promise<readonly JobName[]> {
  if (names.length === 0) {
    return [];
  }
  const { rows } = await sql<JobName>`
    SELECT task.run_id AS "runId", task.phase, task.attempt
    FROM unnest(${names.map((name) => name.runId)}::uuid[], ${names.map((name) => name.phase)}::text[],
      ${names.map((name) => name.attempt)}::integer[]) AS named (run_id, phase, attempt)
    JOIN spec_workflow_task_states AS task USING (run_id, phase, attempt)
    JOIN spec_workflow_runs AS run ON run.id = task.run_id
    WHERE task.state = 'running' AND run.outcome IS NULL`.execute(database);
  return rows;
}

/**
 * Uses the attempt's start ticket, once. It is the last word on "one agent start per attempt": a
 * worker that slept between its look and the start of the agent finds the ticket used, the attempt
 * closed, or the run moved on.
 */
export async function useStartTicket(
  database: Queryable,
  hold: Hold,
  phase: Phase,
  attempt: number,
): Promise<boolean> {
  const used = await database
    .updateTable("spec_workflow_task_states as task")
    .from("spec_workflow_runs as run")
    .set({ ticket_used_at: clockNow })
    .whereRef("run.id", "=", "task.run_id")
    .where("task.run_id", "=", hold.runId)
    .where("task.phase", "=", phase)
    .where("task.attempt", "=", attempt)
    .where("task.state", "=", "running")
    .where("task.ticket_used_at", "is", null)
    .where("run.epoch", "=", hold.epoch)
    .where("run.outcome", "is", null)
    .where("run.cancel_requested_at", "is", null)
    .returning("task.attempt")
    .executeTakeFirst();
  return used !== undefined;
}
