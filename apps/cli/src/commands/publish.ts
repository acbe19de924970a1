import type { ExitCode } from "@speckit/orchestrator";
import { goOnHere } from "../go-on-here.ts";

/** `speckit publish`: a new run that publishes what another one has made; no agent works. */
export async function publishCommand(
  runId: string,
  options: {
    readonly newRunId?: string;
    readonly json?: boolean;
    readonly verbose?: boolean;
  },
): Promise<ExitCode> {
  return await goOnHere("publish", runId, options);
}
