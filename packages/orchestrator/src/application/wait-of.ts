import type { Wait } from "../domain/wait.ts";
import type { AttemptRecord, RunRecord } from "../ports/run-record.ts";

/**
 * What a run waits for, from its rows.
 *
 * @returns undefined while somebody carries it, and when it has ended
 */
export function waitOf(run: RunRecord, attempts: readonly AttemptRecord[]): Wait | undefined {
  if (run.outcome !== null || run.hasLiveLease) {
    return undefined;
  }
  if (run.status === "needs_input") {
    return attempts.some(({ state }) => state === "proposed") ? "approval" : "input";
  }
  if (run.isDue) {
    return "worker";
  }
  if (run.parkedFor === "credential" || run.parkedFor === "fence") {
    return run.parkedFor;
  }
  return run.pipeline[run.phaseIx] === "pull_request" ? "pull_request" : "retry";
}
