import { dispositionOf, type Failure } from "./failure.ts";
import type { RunStatus } from "./run-state.ts";

/** Exit codes of every program here; 75 and 78 are sysexits' EX_TEMPFAIL and EX_CONFIG. */
export const EXIT_CODES = {
  0: "Ok; a worker: drained.",
  1: "The run failed or was cancelled; `stats --slo`: the goal is missed; a worker: crashed.",
  2: "Wrong use: an argument or a request that cannot be taken.",
  3: "The run needs input.",
  75: "Try again later; a worker: stopped with work in hand.",
  78: "Bad configuration; `speckit doctor`: there is a problem.",
  130: "Interrupted; the run goes on when somebody carries it.",
} as const;
export type ExitCode = keyof typeof EXIT_CODES;

/** The exit code a run's status stands for; 75 while it is not over. */
export function exitCodeOf(status: RunStatus): ExitCode {
  switch (status) {
    case "succeeded":
    case "no_changes":
      return 0;
    case "failed":
    case "cancelled":
      return 1;
    case "needs_input":
      return 3;
    case "queued":
    case "in_progress":
      return 75;
  }
}

/** Somebody named what is not there, or asked of a run what it cannot do now. */
const WRONG_USE = new Set<string>([
  "RUN_NOT_FOUND",
  "DEAD_LETTER_NOT_FOUND",
  "ARTIFACT_NOT_FOUND",
  "ARTIFACTS_EXPIRED",
  "FILE_EXISTS",
  "RUN_ENDED",
  "RUN_NOT_RETRYABLE",
  "ANSWER_REFUSED",
  "DECISION_REFUSED",
]);

/** The exit code of a command that failed before there was a run. */
export function exitCodeOfFailure(failure: Failure): ExitCode {
  if (failure.code === "CONFIGURATION_INVALID" || failure.code === "SERVICE_REFUSED") {
    return 78;
  }
  switch (dispositionOf(failure.class)) {
    case "reject":
      return 2;
    case "retry":
    case "wait":
    case "restart":
      return failure.code === "INTERNAL_ERROR" ? 1 : 75;
    default:
      return WRONG_USE.has(failure.code) ? 2 : 1;
  }
}
