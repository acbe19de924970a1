import { sql, type Transaction } from "kysely";
import { fencedError } from "../../../domain/speckit-error.ts";
import type { Conclusion } from "../../../ports/attempt-commit.ts";
import type { Hold } from "../../../ports/run-repository.ts";
import { jsonText } from "../json-text.ts";
import type { Database } from "../schema.ts";

/** Ends a proposed attempt. What it has cost and when its work was done stay as they are. */
export async function concludeAttempt(
  trx: Transaction<Database>,
  hold: Hold,
  { phase, attempt, state, failure }: Conclusion,
): Promise<void> {
  const concluded = await trx
    .updateTable("spec_workflow_task_states")
    .set({ state, failure: failure === undefined ? null : jsonText(failure) })
    .where("run_id", "=", hold.runId)
    .where("phase", "=", phase)
    .where("attempt", "=", attempt)
    .where("state", "=", "proposed")
    .returning("attempt")
    .executeTakeFirst();
  if (concluded === undefined) {
    throw fencedError(hold.runId, hold.epoch);
  }
  const proposal = trx
    .selectFrom("spec_workflow_proposals")
    .select(["run_id", "tip_sha", sql<Buffer>`bundle`.as("bundle")])
    .where("run_id", "=", hold.runId)
    .where("phase", "=", phase)
    .where("attempt", "=", attempt)
    .where("bundle", "is not", null);
  if (state === "succeeded") {
    await trx
      .insertInto("spec_workflow_checkpoints")
      .columns(["run_id", "tip_sha", "bundle"])
      .expression(proposal)
      .onConflict((conflict) =>
        conflict.column("run_id").doUpdateSet({
          tip_sha: (eb) => eb.ref("excluded.tip_sha"),
          bundle: (eb) => eb.ref("excluded.bundle"),
          created_at: sql`clock_timestamp()`,
        }),
      )
      .execute();
  }
  await trx
    .updateTable("spec_workflow_proposals")
    .set({ bundle: null })
    .where("run_id", "=", hold.runId)
    .where("phase", "=", phase)
    .where("attempt", "=", attempt)
    .execute();
}
