import type { AgentPhase } from "../../domain/phase.ts";

/** Message of the commit a phase ends with: conventional, with trailers that lead back to the run. */
export function commitMessage(phase: AgentPhase, runId: string, featureDirectory: string): string {
  return `docs: ${phase} ${featureDirectory}\n\nSpeckit-Run: ${runId}\nSpeckit-Phase: ${phase}\n`;
}
