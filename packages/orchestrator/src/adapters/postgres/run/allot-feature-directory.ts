import { type Kysely, sql } from "kysely";
import type { Hold, RunRepository } from "../../../ports/run-repository.ts";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";
import { guardRun } from "./guard-run.ts";

/**
 * Allots the run's feature directory, once per run. Ten runs on one repository at once get ten
 * numbers: an advisory lock per repository orders them.
 */
export async function allotFeatureDirectory(
  database: Kysely<Database>,
  hold: Hold,
  allot: Parameters<RunRepository["allotFeatureDirectory"]>[1],
): Promise<string> {
  return inTransaction(database, async (trx) => {
    await guardRun(trx, hold);
    const run = await trx
      .selectFrom("spec_workflow_runs")
      .select(["feature_directory", "git_remote"])
      .where("id", "=", hold.runId)
      .executeTakeFirstOrThrow();
    if (run.feature_directory !== null) {
      return run.feature_directory;
    }
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${run.git_remote}, 7))`.execute(trx);
    const { highest } = await trx
      .selectFrom("spec_workflow_runs")
      .select((eb) => eb.fn.coalesce(eb.fn.max("feature_number"), sql<number>`0`).as("highest"))
      .where("git_remote", "=", run.git_remote)
      .executeTakeFirstOrThrow();
    const number = Math.max(highest, allot.highestInTree) + 1;
    const directory = allot.name ?? allot.nameFor(number);
    await trx
      .updateTable("spec_workflow_runs")
      .set({
        feature_directory: directory,
        feature_number: allot.name === undefined ? number : null,
      })
      .where("id", "=", hold.runId)
      .execute();
    return directory;
  });
}
