import type { ExitCode, RuntimeChoice } from "@speckit/orchestrator";
import { goOnHere } from "../go-on-here.ts";

/** `speckit retry`: a new run that goes on where another one failed, carried as `speckit run` would. */
export async function retryCommand(
  runId: string,
  options: {
    readonly newRunId?: string;
    readonly json?: boolean;
    readonly verbose?: boolean;
    readonly unsafe?: boolean;
    readonly runtime?: RuntimeChoice;
  },
): Promise<ExitCode> {
  return await goOnHere("retry", runId, options);
}
