import { sql, type Transaction } from "kysely";
import type { NewRun } from "../../../ports/run-repository.ts";
import type { Database } from "../schema.ts";

/**
 * Seeds a run that was just inserted with what another one, which has ended, had come to: its facts
 * and its checkpoint, and for a retry its progress, so that nothing is repeated that was committed
 * there. Nothing of the old run changes: an outcome is final.
 *
 * @returns what the new run's `run.accepted` tells of it
 */
export async function goOnFrom(
  trx: Transaction<Database>,
  run: NewRun,
  { by, from }: NonNullable<NewRun["goesOn"]>,
): Promise<Readonly<Record<string, unknown>>> {
  const phaseIx = by === "retry" ? sql`old.phase_ix` : sql`0`;
  const { rows } = await sql<{ phaseIx: number; changed: boolean }>`
    UPDATE spec_workflow_runs AS run
    SET retry_of = old.id,
      feature_directory = old.feature_directory,
      feature_number = old.feature_number,
      base_branch = old.base_branch,
      base_sha = old.base_sha,
      branch_old_sha = old.branch_old_sha,
      tip_sha = old.tip_sha,
      spec_kit = old.spec_kit,
      summary = old.summary,
      pushed = old.pushed,
      diff = old.diff,
      phase_ix = ${phaseIx},
      first_phase_ix = ${phaseIx},
      changed_before = coalesce(old.tip_sha <> old.base_sha, false)
    FROM spec_workflow_runs AS old
    WHERE run.id = ${run.runId} AND old.id = ${from} AND old.outcome IS NOT NULL
    RETURNING run.phase_ix AS "phaseIx", run.changed_before AS changed
  `.execute(trx);
  const [seeded] = rows;
  if (seeded === undefined) {
    throw new Error(`Run ${run.runId} cannot go on from ${from}, which has not ended`);
  }
  await sql`
    INSERT INTO spec_workflow_checkpoints (run_id, tip_sha, bundle)
    SELECT ${run.runId}, tip_sha, bundle FROM spec_workflow_checkpoints WHERE run_id = ${from}
  `.execute(trx);
  await trx
    .insertInto("spec_workflow_commands")
    .values({ id: run.runId, run_id: from, command: by, body_hash: run.requestHash })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return { retryOf: from, ...seeded };
}
