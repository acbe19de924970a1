import { type Phase, type PipelinePhase, pipelineFor } from "./phase.ts";
import type { Outcome } from "./run-state.ts";

/**
 * Phases that get their one row without a start when a run ends: those not asked for, and those a
 * failure or a cancel cut off.
 *
 * @param started phases that have at least one attempt
 */
export function neverStarted(
  pipeline: readonly PipelinePhase[],
  started: readonly Phase[],
  outcome: Outcome,
): readonly { readonly phase: PipelinePhase; readonly state: "skipped" | "cancelled" }[] {
  return pipelineFor()
    .filter((phase) => !started.includes(phase))
    .map((phase) => ({
      phase,
      state: outcome === "cancelled" && pipeline.includes(phase) ? "cancelled" : "skipped",
    }));
}
