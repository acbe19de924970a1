import { join } from "node:path";
import type { JobSpec } from "../../ports/job-runtime.ts";

/** Where a job begins. */
export function workingDirectory({ workspace, directory = "" }: JobSpec): string {
  return join(workspace, directory);
}
