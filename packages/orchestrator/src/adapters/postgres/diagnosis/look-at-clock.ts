import type pg from "pg";
import type { Clock } from "../../../ports/clock.ts";
import { type Diagnosis, fine, problem, warning } from "../../../ports/diagnosis.ts";

const LOOKS = 3;
const NOTICED_MS = 5_000;
const HARMFUL_MS = 30_000;

/**
 * How far the database's clock is from this machine's. The answer is taken for the time half way of its
 * round trip; of some looks the quickest counts, and what its round trip leaves open is no difference.
 */
export async function lookAtClock(
  client: pg.Client,
  clock: Pick<Clock, "now" | "monotonicMs">,
): Promise<readonly Diagnosis[]> {
  let aheadMs = 0;
  let quickestMs = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look += 1) {
    const askedMs = clock.now().getTime();
    const startedMs = clock.monotonicMs();
    const { rows } = await client.query<{ ms: string }>(
      "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms",
    );
    const tookMs = clock.monotonicMs() - startedMs;
    if (tookMs < quickestMs) {
      quickestMs = tookMs;
      aheadMs = Number(rows[0]?.ms) - askedMs - tookMs / 2;
    }
  }
  const surelyMs = Math.abs(aheadMs) - quickestMs / 2;
  const found = `the database's clock is ${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs < 0 ? "behind" : "ahead of"} this machine's`;
  if (surelyMs > HARMFUL_MS) {
    return [problem("database.clock", found)];
  }
  return [
    surelyMs > NOTICED_MS
      ? warning("database.clock", found)
      : fine("database.clock", "the database's clock and this machine's agree"),
  ];
}
