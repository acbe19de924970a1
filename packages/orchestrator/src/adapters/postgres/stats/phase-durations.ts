import { sql } from "kysely";
import type { RunStatistics } from "../../../contract/statistics.ts";
import { PHASES } from "../../../domain/phase.ts";
import type { StatisticsQuery } from "../../../ports/run-statistics.ts";
import type { Queryable } from "../transaction.ts";
import { endedRuns, msBetween, spreadOf } from "./period.ts";

/** How long the attempts took that succeeded. */
export async function phaseDurations(
  database: Queryable,
  query: StatisticsQuery,
): Promise<RunStatistics["phases"]> {
  const result = await sql<RunStatistics["phases"][number]>`
    SELECT phase, ${spreadOf(msBetween("started_at", "ended_at"))}
    FROM spec_workflow_task_states
    WHERE state = 'succeeded' AND run_id IN (SELECT run.id FROM ${endedRuns(query)})
    GROUP BY phase
  `.execute(database);
  return result.rows.toSorted((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase));
}
