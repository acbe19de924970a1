import { type RawBuilder, sql } from "kysely";
import { LEFT_BY_PEOPLE } from "../../../domain/left-by-people.ts";
import type { StatisticsQuery } from "../../../ports/run-statistics.ts";

/** Where the period begins. `now()`: every statement of the transaction means the same moment. */
export function periodStart({ sinceMs }: StatisticsQuery): RawBuilder<Date> {
  return sql<Date>`(now() - ${sinceMs}::float8 * interval '1 millisecond')`;
}

/** Of the asked repository, or all there are. */
export function ofRepository({ repository }: StatisticsQuery): RawBuilder<boolean> {
  return repository === undefined
    ? sql<boolean>`true`
    : sql<boolean>`run.repository = ${repository}`;
}

/** Rows `run` that ended in the period. */
export function endedRuns(query: StatisticsQuery): RawBuilder<unknown> {
  return sql`spec_workflow_runs AS run
    WHERE run.finished_at >= ${periodStart(query)} AND ${ofRepository(query)}`;
}

/** Of ended runs: people did not end it, neither by a cancel nor by not answering. */
export const isCounted = sql<boolean>`(run.outcome <> 'cancelled'
  AND NOT coalesce(run.failure ->> 'code' = ANY (${[...LEFT_BY_PEOPLE]}::text[]), false))`;

/** Whole milliseconds from one time to another. */
export function msBetween(from: string, to: string): RawBuilder<number> {
  return sql<number>`round(date_part('epoch', ${sql.ref(to)} - ${sql.ref(from)}) * 1000)`;
}
