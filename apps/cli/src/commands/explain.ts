import type { ExitCode } from "@speckit/orchestrator";
import { openSession } from "../open-session.ts";
import { printExplanation } from "../output/print-explanation.ts";

/** `speckit explain`: why a run is where it is, and what to do. */
export async function explainCommand(
  runId: string,
  options: { readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  await using session = await openSession(options);
  const explanation = await session.orchestrator.explain(runId);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(explanation)}\n`);
  } else {
    printExplanation(explanation);
  }
  return 0;
}
