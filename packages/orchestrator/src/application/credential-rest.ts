import { isAgentPhase } from "../domain/phase.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { CarryDependencies, Situation } from "./carry-run.ts";
import { orLost } from "./while-held.ts";

/** The credential a run's agent makes its model calls with, where this deployment names one. */
export function credentialOf(
  { backends }: Pick<CarryDependencies, "backends">,
  run: RunRecord,
): string | undefined {
  return backends.get(run.agent)?.credential;
}

/**
 * How long the next phase must not start because its credential rests, in milliseconds; 0: it may.
 * Between this look and the agent's first call the credential may still be told to rest: then the
 * gateway refuses that call.
 */
export async function credentialRestMs(
  deps: CarryDependencies,
  { run, lease }: Situation,
): Promise<number> {
  const phase = run.pipeline[run.phaseIx];
  const credential = credentialOf(deps, run);
  if (
    deps.credentials === undefined ||
    credential === undefined ||
    phase === undefined ||
    !isAgentPhase(phase)
  ) {
    return 0;
  }
  return orLost(lease, deps.credentials.coolingForMs(credential));
}
