import { sql } from "kysely";
import type { RunStatistics } from "../../../contract/statistics.ts";
import type { StatisticsQuery } from "../../../ports/run-statistics.ts";
import type { Queryable } from "../transaction.ts";
import { endedRuns, ofRepository, periodStart } from "./period.ts";

/** Runs by the day they were stored, and by the day they ended; UTC. */
export async function runsPerDay(
  database: Queryable,
  query: StatisticsQuery,
): Promise<RunStatistics["days"]> {
  const result = await sql<RunStatistics["days"][number]>`
    WITH told AS (
      SELECT (run.created_at AT TIME ZONE 'UTC')::date AS day, 'submitted' AS what
      FROM spec_workflow_runs AS run
      WHERE run.created_at >= ${periodStart(query)} AND ${ofRepository(query)}
      UNION ALL
      SELECT (run.finished_at AT TIME ZONE 'UTC')::date, run.outcome FROM ${endedRuns(query)}
    ), per_day AS (
      SELECT day,
        count(*) FILTER (WHERE what = 'submitted') AS submitted,
        count(*) FILTER (WHERE what = 'succeeded') AS succeeded,
        count(*) FILTER (WHERE what = 'no_changes') AS no_changes,
        count(*) FILTER (WHERE what = 'failed') AS failed,
        count(*) FILTER (WHERE what = 'cancelled') AS cancelled
      FROM told GROUP BY day
    )
    SELECT to_char(calendar.day, 'YYYY-MM-DD') AS day,
      coalesce(submitted, 0) AS submitted, coalesce(succeeded, 0) AS succeeded,
      coalesce(no_changes, 0) AS no_changes, coalesce(failed, 0) AS failed,
      coalesce(cancelled, 0) AS cancelled
    FROM generate_series(
      (${periodStart(query)} AT TIME ZONE 'UTC')::date::timestamp,
      (now() AT TIME ZONE 'UTC')::date::timestamp,
      interval '1 day'
    ) AS calendar (day)
    LEFT JOIN per_day ON per_day.day = calendar.day::date
    ORDER BY calendar.day
  `.execute(database);
  return result.rows;
}
