import { randomUUID } from "node:crypto";
import { type ExitCode, type RuntimeChoice, runNotFound } from "@speckit/orchestrator";
import { carryHere } from "./carry-here.ts";
import { openSession } from "./open-session.ts";

/** Gives a command that makes a new run out of one that has ended, and carries that here. */
export async function goOnHere(
  command: "retry" | "publish",
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
  const commandId = options.newRunId ?? randomUUID();
  const taken = await orchestrator.command({ schemaVersion: 1, commandId, runId, command });
  // The new run's id is the command's.
  const { newRunId = commandId } = taken;
  const run = await orchestrator.find(newRunId);
  if (run === undefined) {
    throw runNotFound(newRunId);
  }
  return await carryHere(session, run, options);
}
