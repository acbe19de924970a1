import { randomUUID } from "node:crypto";
import { type ExitCode, type RuntimeChoice, SpeckitError } from "@speckit/orchestrator";
import { carryHere } from "../carry-here.ts";
import { openSession } from "../open-session.ts";

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
  await using session = await openSession({ ...options, carries: true });
  const { orchestrator } = session;
  const { newRunId } = await orchestrator.command({
    schemaVersion: 1,
    commandId: options.newRunId ?? randomUUID(),
    runId,
    command: "retry",
  });
  const run = newRunId === undefined ? undefined : await orchestrator.find(newRunId);
  if (run === undefined) {
    throw new SpeckitError("RUN_NOT_FOUND", `There is no run ${newRunId}`);
  }
  return await carryHere(session, run, options);
}
