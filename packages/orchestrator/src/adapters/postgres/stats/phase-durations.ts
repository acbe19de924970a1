import { sql } from "kysely";
import type { RunStatistics } from "../../../contract/statistics.ts";
import { PHASES, type Phase } from "../../../domain/phase.ts";
import type { StatisticsQuery } from "../../../ports/run-statistics.ts";
import type { Queryable } from "../transaction.ts";
import { endedRuns, msBetween } from "./period.ts";
import { type SpreadRow, spread, spreadOf } from "./spread.ts";

/** How long the attempts took that succeeded. */
export async function phaseDurations(
  database: Queryable,
  query: StatisticsQuery,
): Promise<RunStatistics["phases"]> {
  const result = await sql<SpreadRow & { readonly phase: Phase }>`
    SELECT phase, ${spreadOf(msBetween("started_at", "ended_at"))}
    FROM spec_workflow_task_states
    WHERE state = 'succeeded' AND run_id IN (SELECT run.id FROM ${endedRuns(query)})
    GROUP BY phase
  `.execute(database);
  return result.rows
    .toSorted((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase))
    .map((row) => ({ phase: row.phase, ...spread(row) }));
}
