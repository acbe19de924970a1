import type { AgentPhase } from "../../domain/phase.ts";
import type { AgentBackend } from "../../ports/agent-backend.ts";
import type { KeptFile } from "../../ports/job-runtime.ts";
import type { PhaseContext } from "./phase-work.ts";

/** A conversation with an agent, as the artifact `session.json` holds it. */
export interface AgentSession {
  readonly backend: string;
  readonly sessionId: string;
  readonly files: readonly KeptFile[];
}

const nameOf = (phase: AgentPhase, attempt: number): string => `${phase}-${attempt}/session.json`;

/**
 * The conversation of the attempt whose findings this one repairs: the agent knows what it was about.
 * An optimization: where the artifact is not on this machine, the agent begins anew.
 */
export async function earlierSession(
  { deps, run, repairs }: PhaseContext,
  phase: AgentPhase,
  { name, sessionFolders }: AgentBackend,
): Promise<AgentSession | undefined> {
  if (repairs === undefined || sessionFolders === undefined) {
    return undefined;
  }
  try {
    const pieces: Uint8Array[] = [];
    for await (const piece of deps.artifacts.read(run.runId, nameOf(phase, repairs))) {
      pieces.push(piece);
    }
    const session = JSON.parse(Buffer.concat(pieces).toString("utf8")) as AgentSession;
    return session.backend === name ? session : undefined;
  } catch (error) {
    deps.logger.info("the earlier conversation is not here", { error: String(error) });
    return undefined;
  }
}

/** Keeps an attempt's conversation, for its repair and as evidence. */
export async function keepSession(
  { deps, run, attempt, evidence }: PhaseContext,
  phase: AgentPhase,
  session: AgentSession,
): Promise<void> {
  evidence.artifacts.push(
    await deps.artifacts.put(run.runId, nameOf(phase, attempt), JSON.stringify(session)),
  );
}
