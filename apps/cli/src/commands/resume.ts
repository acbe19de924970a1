import { randomUUID } from "node:crypto";
import { type ExitCode, type RuntimeChoice, runNotFound } from "@speckit/orchestrator";
import { carryHere } from "../carry-here.ts";
import { openSession } from "../open-session.ts";

/**
 * `speckit resume`: carries an interrupted run here, also one that waits for its next try; of a
 * fleet's run it shows the progress.
 */
export async function resumeCommand(
  runId: string,
  options: {
    readonly json?: boolean;
    readonly verbose?: boolean;
    readonly unsafe?: boolean;
    readonly runtime?: RuntimeChoice;
  },
): Promise<ExitCode> {
  await using session = await openSession({ ...options, carries: true });
  const run = await session.orchestrator.find(runId);
  if (run === undefined) {
    throw runNotFound(runId);
  }
  if (run.outcome === null) {
    const commandId = randomUUID();
    await session.orchestrator.command({ schemaVersion: 1, commandId, runId, command: "resume" });
  } else {
    await session.orchestrator.wake(runId);
  }
  return await carryHere(session, run, options);
}
