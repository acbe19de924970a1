import { type ExitCode, runNotFound } from "@speckit/orchestrator";
import { carryHere } from "../carry-here.ts";
import { openSession } from "../open-session.ts";

/**
 * `speckit cancel`: a cancel that comes before the end wins. Whoever owns the run ends it; where
 * nobody does, it is ended here (embedded) or by the next worker (fleet).
 */
export async function cancelCommand(
  runId: string,
  options: { readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  await using session = await openSession({ ...options, carries: true });
  const { orchestrator } = session;
  const asked = await orchestrator.cancel(runId);
  const run = await orchestrator.find(runId);
  if (run === undefined) {
    throw runNotFound(runId);
  }
  if (asked && session.isEmbedded && !run.hasLiveLease) {
    const code = await carryHere(session, run, options);
    return (await orchestrator.result(runId)).status === "cancelled" ? 0 : code;
  }
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(await orchestrator.result(runId))}\n`);
  } else {
    process.stdout.write(
      asked
        ? "asked: its worker ends it with its next heartbeat\n"
        : `it has ended: ${run.status}\n`,
    );
  }
  return asked || run.status === "cancelled" ? 0 : 1;
}
