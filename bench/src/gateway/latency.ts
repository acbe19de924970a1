import type { Bench } from "../bench.ts";
import { ratio, three } from "../format.ts";
import { sampled, summaryOf } from "../statistics.ts";
import { type CallTimes, PROVIDERS, targetOf } from "./call-model.ts";
import { openGatewaySubject } from "./gateway-subject.ts";

/**
 * Time to the first byte and to the last one of a call, one at a time, in turns: straight to the
 * provider and through the gateway, which looks at the token and stores the call in PostgreSQL.
 */
export async function measureGatewayLatency(bench: Bench): Promise<void> {
  const { sizes } = bench;
  await using subject = await openGatewaySubject(bench, "gateway-latency", "ok");
  const rows: string[][] = [];
  for (const provider of PROVIDERS) {
    bench.say(provider);
    using direct = targetOf(provider, { baseUrl: subject.baseUrls[provider] });
    const { socketPath } = subject.gateway;
    using through = targetOf(provider, { socketPath, token: await subject.attempt() });
    const took = { direct: [] as CallTimes[], through: [] as CallTimes[] };
    const pair = async (): Promise<number> => {
      took.direct.push(await direct.call());
      took.through.push(await through.call());
      return 0;
    };
    await sampled(sizes.warmUp, pair);
    took.direct.length = 0;
    took.through.length = 0;
    await sampled(sizes.latency, pair);
    for (const what of ["firstByteMs", "wholeMs"] as const) {
      const [floor, ours] = [took.direct, took.through].map((times) =>
        summaryOf(times.map((one) => one[what])),
      );
      if (floor === undefined || ours === undefined) {
        continue;
      }
      const name = what === "firstByteMs" ? "first byte" : "whole";
      bench.keep(
        `${provider}, ${name}, direct`,
        took.direct.map((one) => one[what]),
      );
      bench.keep(
        `${provider}, ${name}, gateway`,
        took.through.map((one) => one[what]),
      );
      rows.push([
        `${provider}, ${name}`,
        String(ours.count),
        three(floor.p50),
        three(floor.p95),
        three(ours.p50),
        three(ours.p95),
        three(ours.p50 - floor.p50),
        ratio(ours.p50, floor.p50),
      ]);
    }
  }
  bench.table(
    "A streamed call, its model answering at once, in milliseconds",
    ["call", "times", "direct p50", "p95", "gateway p50", "p95", "added p50", "/ direct"],
    rows,
  );
}
