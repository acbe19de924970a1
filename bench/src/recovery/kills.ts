import { setTimeout as pause } from "node:timers/promises";
import { openRunRequestPublisher, type RunRequestPublisher } from "@speckit/orchestrator/rabbitmq";
import type { Bench } from "../bench.ts";
import { benchBroker } from "../bench-broker.ts";
import { benchDatabase } from "../bench-database.ts";
import { three } from "../format.ts";
import type { NoopOptions } from "../noop/noop-orchestrator.ts";
import { noopRequest } from "../noop/noop-request.ts";
import { type NoopWorker, startNoopWorker } from "../noop/start-noop-worker.ts";
import { summaryOf } from "../statistics.ts";
import { takeovers } from "./takeovers.ts";

/** Longer than anybody waits here: the phase is under way whenever its worker is killed. */
const WORKS_FOR_MS = 600_000;
/** Workers that are there at once to be killed. */
const VICTIMS = 10;

/**
 * From the kill of a worker in the middle of a phase to the start of the next attempt on a standby
 * that was there before, by the clock of the machine they share. Leases and everything else have
 * their defaults.
 */
export async function measureKills(bench: Bench): Promise<void> {
  const { kills, killsWithoutLock } = bench.sizes;
  const rows: string[][] = [];
  for (const [holdsSession, count] of [
    [true, kills],
    [false, killsWithoutLock],
  ] as const) {
    const name = holdsSession ? "with the session lock" : "without it";
    bench.say(`kill -9, ${name}`);
    const samples: number[] = [];
    while (samples.length < count) {
      const victims = Math.min(VICTIMS, count - samples.length);
      samples.push(...(await killSome(bench, victims, holdsSession)));
    }
    bench.keep(`kill to next start, ${name}`, samples);
    if (samples.length > 0) {
      const { p50, p99, max } = summaryOf(samples);
      rows.push([name, String(samples.length), three(p50), three(p99), three(max)]);
    }
  }
  bench.table(
    "From kill -9 of a worker to the next start of its phase on a standby, in milliseconds",
    ["", "kills", "p50", "p99", "max"],
    rows,
  );
}

async function killSome(
  { services }: Bench,
  count: number,
  holdsSession: boolean,
): Promise<readonly number[]> {
  await using database = await benchDatabase(services.serverUrl);
  await using broker = benchBroker(services.amqpUrl);
  await using workers = new AsyncDisposableStack();
  const options: NoopOptions = {
    databaseUrl: database.url,
    amqpUrl: broker.url,
    amqpPrefix: broker.prefix,
    stateDir: `${services.folder}/recovery`,
    worksForMs: WORKS_FOR_MS,
    holdsSession,
    slots: 1,
  };
  const start = async (slots: number): Promise<NoopWorker> => {
    const worker = await startNoopWorker({ ...options, slots });
    workers.defer(worker.kill);
    return worker;
  };
  await using publisher = await openRunRequestPublisher({ url: broker.url, prefix: broker.prefix });
  await using look = takeovers(database.url);
  const victims = await startVictims(() => start(1), publisher, count, look.untilAtWork);
  // Last, so that every run is a victim's.
  await start(count);

  const killedAt = new Map<number, number>();
  for (const { workerId, kill } of victims) {
    killedAt.set(workerId, Date.now());
    await kill();
    // With the lock one is taken over before the next one dies; without it that takes a lease.
    await (holdsSession ? look.untilTakenOver(workerId) : pause(300));
  }
  return await Promise.all(
    victims.map(async ({ workerId }) => {
      const startedAt = await look.untilTakenOver(workerId);
      return startedAt - (killedAt.get(workerId) ?? 0);
    }),
  );
}

/** One after the other, each with one run in the middle of a phase. */
async function startVictims(
  start: () => Promise<NoopWorker>,
  publisher: RunRequestPublisher,
  count: number,
  untilAtWork: (workerId: number) => Promise<void>,
): Promise<readonly NoopWorker[]> {
  const victims: NoopWorker[] = [];
  for (let ix = 0; ix < count; ix += 1) {
    const victim = await start();
    await publisher.publish(noopRequest());
    await untilAtWork(victim.workerId);
    victims.push(victim);
  }
  return victims;
}
