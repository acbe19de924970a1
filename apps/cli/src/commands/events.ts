import { cloudEventOf, type ExitCode } from "@speckit/orchestrator";
import { openSession } from "../open-session.ts";
import { eventLine, type PrintEventsOptions, printEvents } from "../print-events.ts";

/** What an agent did and said: `speckit logs` shows it. */
const OF_AGENTS = new Set<string>([
  "phase.message",
  "phase.reasoning",
  "phase.tool",
  "phase.file",
  "phase.usage",
]);

/** `speckit events`: what happened to a run; with `--json` each as it is published, a CloudEvent a line. */
export async function eventsCommand(
  runId: string,
  options: PrintEventsOptions & { readonly json?: boolean; readonly verbose?: boolean },
): Promise<ExitCode> {
  await using session = await openSession({ ...options, reads: true });
  const { orchestrator } = session;
  const deploymentId = await orchestrator.deploymentId();
  return await printEvents(orchestrator, runId, options, (event) => {
    if (!OF_AGENTS.has(event.type)) {
      const line =
        options.json === true
          ? JSON.stringify(cloudEventOf(event, deploymentId))
          : eventLine(event);
      process.stdout.write(`${line}\n`);
    }
  });
}
