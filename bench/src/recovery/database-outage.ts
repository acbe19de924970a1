import { setTimeout as pause } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { benchBroker } from "../bench-broker.ts";
import { benchDatabase, statement } from "../bench-database.ts";
import { three } from "../format.ts";
import { fleetSubject } from "../overhead/fleet-subject.ts";

const IN_FLIGHT = 10;
const PHASES = 5;
/** Recovered is when the first window of this length begins in which the rate is good again. */
const WINDOW_MS = 2_000;
const RECOVERED_WITHIN_MS = 60_000;

/**
 * Takes the database away under load: how long from its return until runs are carried at 90 % of the
 * rate before, and whether every run that was submitted has ended well.
 */
export async function measureDatabaseOutage(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  const { outage } = services;
  if (outage === undefined) {
    bench.say("the database is not ours to stop: outage not measured");
    return;
  }
  await using database = await benchDatabase(services.serverUrl);
  await using broker = benchBroker(services.amqpUrl);
  await using subject = await fleetSubject({
    databaseUrl: database.url,
    amqpUrl: broker.url,
    amqpPrefix: broker.prefix,
    stateDir: `${services.folder}/outage`,
    slots: sizes.slots,
    phases: PHASES,
  });
  const endedAt: number[] = [];
  const stopping = new AbortController();
  const load = Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (!stopping.signal.aborted) {
        await subject.carry();
        endedAt.push(performance.now());
      }
    }),
  );
  load.catch(() => undefined);
  const rateAt = (atMs: number, windowMs = WINDOW_MS): number =>
    (endedAt.filter((at) => at > atMs - windowMs && at <= atMs).length * 1_000) / windowMs;

  await pause(WINDOW_MS);
  await pause(sizes.watchMs);
  const stoppedMs = performance.now();
  const before = rateAt(stoppedMs, sizes.watchMs);
  bench.say(`${three(before)} runs/s, now without a database for ${sizes.outageMs / 1_000} s`);
  await outage(sizes.outageMs);
  const backMs = performance.now();
  let recoveredMs: number | undefined;
  while (recoveredMs === undefined && performance.now() < backMs + RECOVERED_WITHIN_MS) {
    await pause(50);
    const nowMs = performance.now();
    if (nowMs - backMs >= WINDOW_MS && rateAt(nowMs) >= 0.9 * before) {
      recoveredMs = nowMs - WINDOW_MS;
    }
  }
  await pause(sizes.watchMs);
  stopping.abort();
  await load;
  const lost = await notSucceeded(database.url);
  bench.keep("outage: ends of runs, stop and return, in milliseconds", [
    ...endedAt,
    stoppedMs,
    backMs,
  ]);
  bench.table(
    `The database stopped under load (${IN_FLIGHT} runs of ${PHASES} phases in flight)`,
    ["", "measured"],
    [
      ["runs/s before", three(before)],
      ["database away", `${three((backMs - stoppedMs) / 1_000)} s`],
      [
        "from its return to 90 % of that rate",
        recoveredMs === undefined
          ? `not within ${RECOVERED_WITHIN_MS / 1_000} s`
          : `${three((recoveredMs - backMs) / 1_000)} s`,
      ],
      ["runs in all", String(endedAt.length)],
      ["runs that did not succeed", String(lost)],
    ],
  );
}

async function notSucceeded(databaseUrl: string): Promise<number> {
  const [row] = await statement<{ count: number }>(
    databaseUrl,
    "SELECT count(*)::int AS count FROM spec_workflow_runs WHERE outcome IS DISTINCT FROM 'succeeded'",
  );
  return row?.count ?? Number.NaN;
}
