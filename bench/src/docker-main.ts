import { measureRuns } from "./docker/runs.ts";
import { measureWorkspace } from "./docker/workspace.ts";
import { runBench } from "./run-bench.ts";

/** `npm run bench:docker`: what job containers cost, beside the same commands in plain containers. */
await runBench("docker", { runs: measureRuns, workspace: measureWorkspace });
