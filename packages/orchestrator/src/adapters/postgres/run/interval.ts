import { type RawBuilder, sql } from "kysely";

/** The database's clock, `ms` from now. Not `now()`: a statement that waited for a lock has an old one. */
export function fromNow(ms: number): RawBuilder<Date> {
  return sql<Date>`clock_timestamp() + ${ms}::float8 * interval '1 millisecond'`;
}

export const clockNow: RawBuilder<Date> = sql<Date>`clock_timestamp()`;

/** How long after the end of a lease the sweeper looks, in milliseconds. */
export const AFTER_LEASE_MS = 5_000;

/** When the sweeper looks at a run that was just stored or given back, in milliseconds. */
export const LOOK_AGAIN_MS = 15_000;
