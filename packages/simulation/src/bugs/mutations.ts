import type { JobRuntime, PullRequestHost, RunRepository, Transport } from "@speckit/orchestrator";
import type { Process, World } from "../world/process.ts";
import type { Services } from "../world/services.ts";

/** What a deliberate bug does to the ports of every process; nothing is done by default. */
export interface Mutations {
  readonly runs?: (
    inner: RunRepository,
    at: World & { readonly process: Omit<Process, "deps"> },
  ) => RunRepository;
  readonly transport?: (inner: Transport) => Transport;
  readonly pullRequests?: (inner: PullRequestHost, services: Services) => PullRequestHost;
  readonly runtime?: (inner: JobRuntime) => JobRuntime;
}
