import { sql } from "kysely";
import type { RunStatistics } from "../../../contract/statistics.ts";
import type { Wait } from "../../../domain/wait.ts";
import type { StatisticsQuery } from "../../../ports/run-statistics.ts";
import type { Queryable } from "../transaction.ts";
import { ofRepository } from "./period.ts";

/** Runs without an outcome: which of them are carried, and what the others wait for. */
export async function liveRuns(
  database: Queryable,
  query: StatisticsQuery,
): Promise<RunStatistics["live"]> {
  const result = await sql<{ for: Wait | "carried"; runs: number; oldest: Date }>`
    SELECT CASE
        WHEN run.lease_until > clock_timestamp() THEN 'carried'
        WHEN run.parked_for = 'input' AND EXISTS (
          SELECT FROM spec_workflow_task_states AS task
          WHERE task.run_id = run.id AND task.state = 'proposed'
        ) THEN 'approval'
        WHEN run.parked_for = 'input' THEN 'input'
        WHEN run.due_at <= clock_timestamp() THEN 'worker'
        WHEN run.parked_for IS NOT NULL THEN run.parked_for
        WHEN run.pipeline[run.phase_ix + 1] = 'pull_request' THEN 'pull_request'
        ELSE 'retry'
      END AS for,
      count(*) AS runs, min(run.created_at) AS oldest
    FROM spec_workflow_runs AS run
    WHERE run.outcome IS NULL AND ${ofRepository(query)}
    GROUP BY 1
    ORDER BY runs DESC, oldest
  `.execute(database);
  return {
    carried: result.rows.find((row) => row.for === "carried")?.runs ?? 0,
    waiting: result.rows.flatMap((row) =>
      row.for === "carried"
        ? []
        : [{ for: row.for, runs: row.runs, oldest: row.oldest.toISOString() }],
    ),
  };
}
