import { type Kysely, sql } from "kysely";
import { SLO_PERCENT } from "../../../contract/statistics.ts";
import type { RunStatisticsReader, StatisticsQuery } from "../../../ports/run-statistics.ts";
import type { Database } from "../schema.ts";
import { inTransaction, type Queryable } from "../transaction.ts";
import { failuresByCode } from "./failures-by-code.ts";
import { liveRuns } from "./live-runs.ts";
import { periodStart } from "./period.ts";
import { phaseDurations } from "./phase-durations.ts";
import { runTimes } from "./run-times.ts";
import { runsPerDay } from "./runs-per-day.ts";
import { tokensUsed } from "./tokens-used.ts";

/** Statistics summed by the database, in one snapshot: its parts agree with each other. */
export function runStatisticsReader(database: Kysely<Database>): RunStatisticsReader {
  return {
    statistics: (query) =>
      inTransaction(database, async (trx) => {
        await sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`.execute(trx);
        // Sorts of a year's attempts in memory; to compile such statements takes longer than they do.
        await sql`SET LOCAL work_mem = '64MB'`.execute(trx);
        await sql`SET LOCAL jit = off`.execute(trx);
        const { targetMs, repository = null } = query;
        const times = await runTimes(trx, query);
        const { counted, failed, withinWorking, withinWall } = times;
        return {
          ...(await momentOf(trx, query)),
          repository,
          days: await runsPerDay(trx, query),
          slo: {
            targetMs,
            goal: SLO_PERCENT / 100,
            counted,
            failed,
            working: { runs: withinWorking, share: shareOf(withinWorking, counted) },
            wall: { runs: withinWall, share: shareOf(withinWall, counted) },
            isMet: counted === 0 ? null : withinWorking * 100 >= counted * SLO_PERCENT,
          },
          phases: await phaseDurations(trx, query),
          workingTime: times.workingTime,
          wallTime: times.wallTime,
          queueWait: times.queueWait,
          failures: await failuresByCode(trx, query),
          usage: await tokensUsed(trx, query),
          live: await liveRuns(trx, query),
        };
      }),
  };
}

async function momentOf(
  trx: Queryable,
  query: StatisticsQuery,
): Promise<{ readonly asOf: string; readonly since: string }> {
  const result = await sql<{ asOf: Date; since: Date }>`
    SELECT now() AS "asOf", ${periodStart(query)} AS since`.execute(trx);
  const [row] = result.rows;
  return { asOf: row?.asOf.toISOString() ?? "", since: row?.since.toISOString() ?? "" };
}

function shareOf(runs: number, counted: number): number | null {
  return counted === 0 ? null : runs / counted;
}
