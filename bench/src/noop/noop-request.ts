import type { RunRequest } from "@speckit/orchestrator/contract";

const REPOSITORIES = 50;
let made = 0;

/** A request for a run of no-op phases, for one repository after the other. Nothing is ever fetched. */
export function noopRequest(): RunRequest {
  made += 1;
  return {
    schemaVersion: 1,
    repository: `example/bench-${made % REPOSITORIES}`,
    specifyText: "Do nothing",
  };
}
