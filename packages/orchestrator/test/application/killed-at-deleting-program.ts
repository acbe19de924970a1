/** A worker that dies when it has deleted the files of one run. Arguments: database, state folder. */
import { openOrchestrator } from "../../src/node/index.ts";

const [databaseUrl = "", stateDir = ""] = process.argv.slice(2);
let removed = 0;
const { orchestrator } = await openOrchestrator(
  { databaseUrl, stateDir, logLevel: "error" },
  {
    compose: (deps) => ({
      ...deps,
      artifacts: {
        ...deps.artifacts,
        async removeRun(runId) {
          if (removed === 1) {
            process.kill(process.pid, "SIGKILL");
          }
          removed += 1;
          return deps.artifacts.removeRun(runId);
        },
      },
    }),
  },
);
await orchestrator.work({ slots: 1, hostname: "doomed" });
