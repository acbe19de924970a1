import type { ExitCode } from "@speckit/orchestrator";
import { openSession } from "../open-session.ts";
import { eventLine, type PrintEventsOptions, printEvents } from "../print-events.ts";

/** `speckit logs`: a run's events, with what the agent said; `-f` goes on to the run's end. */
export async function logsCommand(
  runId: string,
  options: PrintEventsOptions & { readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  await using session = await openSession({ ...options, reads: true });
  return await printEvents(session.orchestrator, runId, options, (event) => {
    process.stdout.write(`${options.json === true ? JSON.stringify(event) : eventLine(event)}\n`);
  });
}
