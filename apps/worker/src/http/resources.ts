import { explainRun } from "./explain-run.ts";
import { listArtifacts } from "./list-artifacts.ts";
import { listEvents } from "./list-events.ts";
import { listRuns } from "./list-runs.ts";
import type { Resource } from "./resource.ts";
import { showRun } from "./show-run.ts";
import { showStatistics } from "./show-statistics.ts";

/** All that can be read. */
export const RESOURCES: readonly Resource[] = [
  listRuns,
  showRun,
  listArtifacts,
  listEvents,
  explainRun,
  showStatistics,
];
