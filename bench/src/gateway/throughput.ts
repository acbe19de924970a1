import type { Bench } from "../bench.ts";
import { ratio, three } from "../format.ts";
import { closedLoop } from "../overhead/closed-loop.ts";
import { cpuMsOf } from "../process-facts.ts";
import { sampled, timed } from "../statistics.ts";
import { targetOf } from "./call-model.ts";
import { openGatewaySubject } from "./gateway-subject.ts";

/** An attempt may have 16 calls open: more in flight come from more attempts. */
const OF_AN_ATTEMPT = 10;
const IN_FLIGHT = [1, 10, 50] as const;

/** Calls per second with so many open, straight to the provider and through the gateway. */
export async function measureGatewayThroughput(bench: Bench): Promise<void> {
  const { sizes } = bench;
  await using subject = await openGatewaySubject(bench, "gateway-throughput", "ok");
  const { gateway, baseUrls } = subject;
  const rows: string[][] = [];
  for (const inFlight of IN_FLIGHT) {
    bench.say(`${inFlight} in flight`);
    using targets = new DisposableStack();
    const direct = targets.use(targetOf("openai", { baseUrl: baseUrls.openai }));
    const attempts = await Promise.all(
      Array.from({ length: Math.ceil(inFlight / OF_AN_ATTEMPT) }, async () =>
        targets.use(
          targetOf("openai", { socketPath: gateway.socketPath, token: await subject.attempt() }),
        ),
      ),
    );
    // Each takes the next free one, so that none has more open than it may.
    const free = attempts.flatMap((one) => Array.from({ length: OF_AN_ATTEMPT }, () => one));
    const through = async (): Promise<void> => {
      const target = free.shift();
      if (target === undefined) {
        throw new Error("more calls than attempts may have open");
      }
      await target.call().finally(() => free.push(target));
    };
    await sampled(sizes.warmUp, () => timed(through));
    const forMs = sizes.throughputMs;
    const floor = await closedLoop({ inFlight, forMs }, () => direct.call());
    const cpuBeforeMs = await cpuMsOf(gateway.pid);
    const ours = await closedLoop({ inFlight, forMs }, through);
    const cpuMs = (await cpuMsOf(gateway.pid)) - cpuBeforeMs;
    bench.keep(`${inFlight} in flight, gateway`, ours.samples);
    rows.push([
      String(inFlight),
      three(floor.perSecond),
      three(ours.perSecond),
      ratio(floor.perSecond, ours.perSecond),
      three(ours.latency.p50),
      three(ours.latency.p95),
      three(cpuMs / ours.samples.length),
    ]);
  }
  bench.table(
    "Streamed calls with so many open at a time",
    [
      "open",
      "direct calls/s",
      "gateway calls/s",
      "direct / gateway",
      "p50 ms",
      "p95",
      "CPU ms/call",
    ],
    rows,
  );
}
