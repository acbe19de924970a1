import { measureBigOutput } from "./overhead/big-output.ts";
import { measureColdStart } from "./overhead/cold-start.ts";
import { measureIdle } from "./overhead/idle.ts";
import { measureLatency } from "./overhead/latency.ts";
import { measureThroughput } from "./overhead/throughput.ts";
import { runBench } from "./run-bench.ts";

/** `npm run bench:overhead`: what the orchestration costs when phases do nothing. */
await runBench("overhead", {
  latency: measureLatency,
  throughput: measureThroughput,
  idle: measureIdle,
  "big-output": measureBigOutput,
  "cold-start": measureColdStart,
});
