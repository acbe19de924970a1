import { type ExitCode, runNotFound } from "@speckit/orchestrator";
import { openSession } from "../open-session.ts";
import { printStatus } from "../output/print-result.ts";

/** `speckit status`: where a run is. */
export async function statusCommand(
  runId: string,
  options: { readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  await using session = await openSession({ ...options, reads: true });
  const run = await session.orchestrator.find(runId);
  if (run === undefined) {
    throw runNotFound(runId);
  }
  const result = await session.orchestrator.result(runId);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } else {
    const unowned = run.status === "in_progress" && !run.hasLiveLease && run.isDue;
    printStatus(result, unowned ? (run.leaseUntil ?? run.dueAt) : undefined);
  }
  return 0;
}
