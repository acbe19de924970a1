import { type Kysely, sql } from "kysely";
import type { KeepVerdict } from "../../../ports/run-repository.ts";
import { fromNow } from "../run/interval.ts";
import { isRunId } from "../run/is-run-id.ts";
import type { Database } from "../schema.ts";

export async function keepRun(
  database: Kysely<Database>,
  runId: string,
  reason: string | null,
): Promise<KeepVerdict> {
  if (!isRunId(runId)) {
    return "no such run";
  }
  const kept = await database
    .updateTable("spec_workflow_runs")
    .set({ kept_at: sql<Date>`coalesce(kept_at, clock_timestamp())`, kept_reason: reason })
    .where("id", "=", runId)
    .where("artifacts_deleted_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  if (kept !== undefined) {
    return "kept";
  }
  const run = await database
    .selectFrom("spec_workflow_runs")
    .select("id")
    .where("id", "=", runId)
    .executeTakeFirst();
  return run === undefined ? "no such run" : "its artifacts are deleted";
}

/** A live run has no date yet: it gets one when it ends. */
export async function releaseKeptRun(
  database: Kysely<Database>,
  runId: string,
  graceMs: number,
): Promise<boolean> {
  if (!isRunId(runId)) {
    return false;
  }
  const known = await database
    .updateTable("spec_workflow_runs")
    .set({
      kept_at: null,
      kept_reason: null,
      artifacts_expire_at: sql<Date | null>`
        CASE WHEN kept_at IS NULL OR artifacts_expire_at IS NULL THEN artifacts_expire_at
          ELSE greatest(artifacts_expire_at, ${fromNow(graceMs)}) END`,
    })
    .where("id", "=", runId)
    .returning("id")
    .executeTakeFirst();
  return known !== undefined;
}
