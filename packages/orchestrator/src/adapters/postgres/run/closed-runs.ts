import { sql } from "kysely";
import type { Queryable } from "../transaction.ts";
import { fromNow } from "./interval.ts";
import { isRunId } from "./is-run-id.ts";

/** Which of these runs were closed at least so long ago, by the database's clock. */
export async function closedRuns(
  database: Queryable,
  runIds: readonly string[],
  forMs: number,
): Promise<readonly { readonly runId: string; readonly gitRemote: string }[]> {
  const rows = await database
    .selectFrom("spec_workflow_runs")
    .select(["id", "git_remote"])
    .where(sql<boolean>`id = ANY(${runIds.filter(isRunId)}::uuid[])`)
    .where("cleaned_at", "<=", fromNow(-forMs))
    .execute();
  return rows.map((row) => ({ runId: row.id, gitRemote: row.git_remote }));
}
