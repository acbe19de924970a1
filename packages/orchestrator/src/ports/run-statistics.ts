import type { RunStatistics } from "../contract/statistics.ts";

export interface StatisticsQuery {
  /** The period: so long until now, by the database's clock. */
  readonly sinceMs: number;
  /** What a run may take. */
  readonly targetMs: number;
  /** Default: of all. */
  readonly repository?: string | undefined;
}

/**
 * Sums over the store's runs, all as of one moment. Everything but `live` and `days[].submitted` is
 * about runs that ended in the period: an attempt counts when its run has ended.
 *
 * Faults of the store are thrown as SpeckitError `DATABASE_UNAVAILABLE`.
 */
export interface RunStatisticsReader {
  readonly statistics: (query: StatisticsQuery) => Promise<RunStatistics>;
}
