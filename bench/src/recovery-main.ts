import { measureDatabaseOutage } from "./recovery/database-outage.ts";
import { measureKills } from "./recovery/kills.ts";
import { runBench } from "./run-bench.ts";

/** `npm run bench:recovery`: how long it takes until work goes on after a kill and an outage. */
await runBench("recovery", { kills: measureKills, outage: measureDatabaseOutage });
