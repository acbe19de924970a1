import { measureGatewayLatency } from "./gateway/latency.ts";
import { measureStreams } from "./gateway/streams.ts";
import { measureGatewayThroughput } from "./gateway/throughput.ts";
import { runBench } from "./run-bench.ts";

/** `npm run bench:gateway`: what the gateway adds to model calls, beside calling the provider oneself. */
await runBench("gateway", {
  latency: measureGatewayLatency,
  throughput: measureGatewayThroughput,
  streams: measureStreams,
});
