import type { AttemptRecord, RunRecord } from "../ports/run-repository.ts";

/** What a run rests for; the words of `waitingFor`. */
export type Rest =
  | "worker"
  | "retry"
  | "pull_request"
  | "credential"
  | "fence"
  | "input"
  | "approval";

/** @returns undefined while somebody carries it, and when it has ended */
export function restOf(run: RunRecord, attempts: readonly AttemptRecord[]): Rest | undefined {
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
