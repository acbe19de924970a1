import { randomUUID } from "node:crypto";
import { type ExitCode, runNotFound } from "@speckit/orchestrator";
import { carryHere } from "./carry-here.ts";
import { openSession } from "./open-session.ts";

/**
 * Gives a run what it waits for, by a command to it; the run goes on here (embedded) or in its fleet.
 *
 * @param command the shape of `runCommandSchema` without what every command has
 * @param told for people, when a fleet goes on with it
 */
export async function giveInput(
  runId: string,
  command: Readonly<Record<string, unknown>>,
  options: { readonly json?: boolean; readonly verbose?: boolean },
  told: string,
): Promise<ExitCode> {
  await using session = await openSession(options);
  const { orchestrator } = session;
  await orchestrator.command({ schemaVersion: 1, commandId: randomUUID(), runId, ...command });
  const run = await orchestrator.find(runId);
  if (run === undefined) {
    throw runNotFound(runId);
  }
  if (session.isEmbedded && !run.hasLiveLease) {
    return await carryHere(session, run, options);
  }
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(await orchestrator.result(runId))}\n`
      : `${told}: the fleet goes on with it\n`,
  );
  return 0;
}
