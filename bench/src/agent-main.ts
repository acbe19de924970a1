import { measureEventStream } from "./agent/event-stream.ts";
import { measurePhases } from "./agent/phases.ts";
import { runBench } from "./run-bench.ts";

/** `npm run bench:agent`: what calling and reading Codex costs, beside Codex called by hand. */
await runBench("agent", {
  phases: measurePhases,
  "event-stream": measureEventStream,
});
