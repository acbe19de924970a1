import { type RawBuilder, sql } from "kysely";
import type { RunStatistics } from "../../../contract/statistics.ts";

type Spread = RunStatistics["queueWait"];

/** As the database has it: how many, and half and 95 % of them, null where there are none. */
export interface SpreadRow {
  readonly count: number;
  readonly percentiles: readonly [number, number] | null;
}

/** The columns of a {@link SpreadRow}, over a number of milliseconds. */
export function spreadOf(ms: RawBuilder<number>): RawBuilder<unknown> {
  return sql`count(${ms}) AS count,
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY ${ms}) AS percentiles`;
}

export function spread({ count, percentiles }: SpreadRow): Spread {
  const [p50, p95] = percentiles ?? [null, null];
  const rounded = (ms: number | null): number | null => (ms === null ? null : Math.round(ms));
  return { count, p50Ms: rounded(p50), p95Ms: rounded(p95) };
}
