import type { AgentPhase } from "../../domain/phase.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { AgentBackend } from "../../ports/agent-backend.ts";
import type { ModelAccess, ModelLimits } from "../../ports/model-gateway.ts";
import type { PhaseContext } from "./phase-work.ts";

/**
 * Opens the attempt's way to its model, undefined for a backend that needs none. What the run's
 * earlier attempts have used counts against its limits.
 *
 * @throws SpeckitError `TOKEN_LIMIT_REACHED` or `COST_LIMIT_REACHED` when nothing is left, or
 * `AGENT_NOT_STARTED` when this worker has no gateway for the credential
 */
export async function openModelAccess(
  context: PhaseContext,
  phase: AgentPhase,
  { credential, name }: AgentBackend,
): Promise<ModelAccess | undefined> {
  if (credential === undefined) {
    return undefined;
  }
  const { deps, run, attempt } = context;
  const gateway = deps.gateways?.get(credential);
  if (gateway === undefined) {
    throw new SpeckitError(
      "AGENT_NOT_STARTED",
      `This worker has no gateway for the credential ${credential} of the agent ${name}`,
    );
  }
  return gateway.open({
    runId: run.runId,
    phase,
    attempt,
    expiresInMs: Math.max(1, context.leftMs()),
    limits: limitsLeft(context),
  });
}

function limitsLeft({ run, spent }: PhaseContext): ModelLimits {
  const { maxTokens, maxUsd } = run.request.limits ?? {};
  const tokens = spent.inputTokens + spent.outputTokens;
  const usd = spent.costUsd ?? 0;
  if (maxTokens !== undefined && tokens >= maxTokens) {
    throw overLimit("TOKEN_LIMIT_REACHED", `${tokens} of at most ${maxTokens} tokens are used`);
  }
  if (maxUsd !== undefined && usd >= maxUsd) {
    throw overLimit("COST_LIMIT_REACHED", `${usd} of at most ${maxUsd} USD are used`);
  }
  return {
    tokensLeft: maxTokens === undefined ? undefined : maxTokens - tokens,
    usdLeft: maxUsd === undefined ? undefined : maxUsd - usd,
  };
}

function overLimit(code: "TOKEN_LIMIT_REACHED" | "COST_LIMIT_REACHED", what: string): SpeckitError {
  return new SpeckitError(code, `The run's limit is reached: ${what}`);
}
