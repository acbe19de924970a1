import { sql } from "kysely";
import type { RunStatistics } from "../../../contract/statistics.ts";
import type { StatisticsQuery } from "../../../ports/run-statistics.ts";
import type { Queryable } from "../transaction.ts";
import { endedRuns, isCounted, msBetween } from "./period.ts";
import { type SpreadRow, spread, spreadOf } from "./spread.ts";

type Spread = RunStatistics["queueWait"];

export interface RunTimes {
  readonly counted: number;
  readonly failed: number;
  readonly withinWorking: number;
  readonly withinWall: number;
  readonly workingTime: Spread;
  readonly wallTime: Spread;
  readonly queueWait: Spread;
}

/**
 * How long runs took: working time is that of their attempts before the outcome, so neither questions
 * nor cool-downs, back-off and queueing are in it; an attempt is open only while a worker carries it,
 * or its container works on.
 */
export async function runTimes(database: Queryable, query: StatisticsQuery): Promise<RunTimes> {
  const result = await sql<{
    counted: number;
    failed: number;
    withinWorking: number;
    withinWall: number;
    working: SpreadRow;
    wall: SpreadRow;
    queue: SpreadRow;
  }>`
    WITH ended AS MATERIALIZED (
      SELECT run.id, ${isCounted} AS counted, run.outcome = 'failed' AS failed,
        ${msBetween("run.created_at", "run.finished_at")} AS wall_ms,
        ${msBetween("run.created_at", "run.started_at")} AS queue_ms
      FROM ${endedRuns(query)}
    ), worked AS (
      SELECT run_id, sum(${msBetween("started_at", "ended_at")}) AS ms
      FROM spec_workflow_task_states JOIN ended ON ended.id = run_id
      WHERE phase <> 'cleanup' AND attempt > 0
      GROUP BY run_id
    ), times AS (
      SELECT ended.*, coalesce(worked.ms, 0) AS working_ms
      FROM ended LEFT JOIN worked ON worked.run_id = ended.id
    )
    SELECT count(*) FILTER (WHERE counted) AS counted,
      count(*) FILTER (WHERE counted AND failed) AS failed,
      count(*) FILTER (WHERE counted AND NOT failed AND working_ms <= ${query.targetMs}::float8)
        AS "withinWorking",
      count(*) FILTER (WHERE counted AND NOT failed AND wall_ms <= ${query.targetMs}::float8)
        AS "withinWall",
      (SELECT to_jsonb(s) FROM (SELECT ${spreadOf(sql`working_ms`)} FROM times WHERE counted) s)
        AS working,
      (SELECT to_jsonb(s) FROM (SELECT ${spreadOf(sql`wall_ms`)} FROM times WHERE counted) s)
        AS wall,
      (SELECT to_jsonb(s) FROM (SELECT ${spreadOf(sql`queue_ms`)} FROM times) s) AS queue
    FROM times
  `.execute(database);
  const [row] = result.rows;
  if (row === undefined) {
    throw new Error("A sum without GROUP BY has one row");
  }
  const { working, wall, queue, ...counts } = row;
  return {
    ...counts,
    workingTime: spread(working),
    wallTime: spread(wall),
    queueWait: spread(queue),
  };
}
