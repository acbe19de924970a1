import { sql } from "kysely";
import type { RunStatistics } from "../../../contract/statistics.ts";
import type { StatisticsQuery } from "../../../ports/run-statistics.ts";
import type { Queryable } from "../transaction.ts";
import { endedRuns } from "./period.ts";

/** What attempts and runs ended with. Some failures end a run without an attempt, some only an attempt. */
export async function failuresByCode(
  database: Queryable,
  query: StatisticsQuery,
): Promise<RunStatistics["failures"]> {
  const result = await sql<RunStatistics["failures"][number]>`
    WITH ended AS MATERIALIZED (
      SELECT run.id, CASE WHEN run.outcome = 'failed' THEN run.failure END AS failure
      FROM ${endedRuns(query)}
    ), told AS (
      SELECT task.failure, 1 AS attempts, 0 AS runs,
        EXISTS (
          SELECT FROM spec_workflow_task_states AS later
          WHERE later.run_id = task.run_id AND later.phase = task.phase
            AND later.attempt > task.attempt
        )::integer AS retried
      FROM spec_workflow_task_states AS task JOIN ended ON ended.id = task.run_id
      WHERE task.failure IS NOT NULL
      UNION ALL
      SELECT failure, 0, 1, 0 FROM ended WHERE failure IS NOT NULL
    )
    SELECT code, class,
      sum(attempts) AS attempts, sum(retried) AS retried, sum(runs) AS runs
    FROM told, jsonb_to_record(told.failure) AS failed (code text COLLATE "C", class text)
    GROUP BY code, class
    ORDER BY sum(attempts) DESC, sum(runs) DESC, code
  `.execute(database);
  return result.rows;
}
