import type { RunRecord } from "@speckit/orchestrator";
import type { Session } from "../open-session.ts";

/** The first lines of a run: what is real here and what stands in, then the run. */
export async function introduction(session: Session, run: RunRecord): Promise<string> {
  const agent = session.orchestrator.agents().find(({ name }) => name === run.agent);
  const where = session.isEmbedded
    ? `isolation: ${(await session.orchestrator.runtime()).isolation}`
    : "a worker of the fleet carries it";
  return [
    `speckit: ${session.services} · agent ${run.agent}${agent === undefined ? "" : ` (${agent.description})`} · ${where}`,
    `run ${run.runId} on ${run.repository}`,
  ].join("\n");
}
