import type { Bench } from "../bench.ts";
import { benchBroker } from "../bench-broker.ts";
import { benchDatabase } from "../bench-database.ts";
import { ratio, three } from "../format.ts";
import { cpuMsOf } from "../process-facts.ts";
import { sampled, timed } from "../statistics.ts";
import { closedLoop, type LoopResult } from "./closed-loop.ts";
import { openFloor } from "./floor.ts";
import { openSubject } from "./open-subject.ts";

const PHASES = 5;
const IN_FLIGHT = [1, 10, 50] as const;

/** Runs per second with so many submitted and not complete, over RabbitMQ and in process, beside the floor. */
export async function measureThroughput(bench: Bench): Promise<void> {
  const { services, sizes } = bench;
  const rows: string[][] = [];
  for (const where of ["in process", "RabbitMQ"] as const) {
    await using database = await benchDatabase(services.serverUrl);
    await using broker = benchBroker(services.amqpUrl);
    await using floor = await openFloor({
      databaseUrl: database.url,
      amqpUrl: services.amqpUrl,
      queue: `${broker.prefix}.floor`,
    });
    const floors = new Map<number, LoopResult>();
    for (const inFlight of IN_FLIGHT) {
      const walk = () => (where === "RabbitMQ" ? floor.hops(PHASES) : floor.commits(PHASES));
      floors.set(inFlight, await closedLoop({ inFlight, forMs: sizes.throughputMs / 2 }, walk));
    }
    await using subject = await openSubject(bench, where, { phases: PHASES, database, broker });
    await sampled(sizes.warmUp, () => timed(subject.carry));
    for (const inFlight of IN_FLIGHT) {
      bench.say(`${inFlight} in flight, ${where}`);
      const cpuBeforeMs = await cpuMsOf(subject.pid);
      const ours = await closedLoop({ inFlight, forMs: sizes.throughputMs }, subject.carry);
      const cpuMs = (await cpuMsOf(subject.pid)) - cpuBeforeMs;
      const theirs = floors.get(inFlight);
      const rate = theirs?.perSecond ?? Number.NaN;
      bench.keep(`run, ${where}, ${PHASES} phases, ${inFlight} in flight`, ours.samples);
      rows.push([
        `${where}, ${inFlight}`,
        three(ours.perSecond),
        three(ours.perSecond * PHASES),
        three(ours.latency.p50),
        three(ours.latency.p95),
        three(ours.latency.p99),
        three(cpuMs / ours.samples.length),
        three(rate),
        ratio(rate, ours.perSecond),
      ]);
    }
  }
  bench.table(
    `Runs of ${PHASES} phases with so many in flight, one worker with ${sizes.slots} slots`,
    [
      "in flight",
      "runs/s",
      "phases/s",
      "p50 ms",
      "p95",
      "p99",
      "CPU ms/run",
      "floor runs/s",
      "floor / ours",
    ],
    rows,
  );
}
