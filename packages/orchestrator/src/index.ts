export type { AppliedCommand } from "./application/apply-command.ts";
export type { Dependencies } from "./application/dependencies.ts";
export { cloudEventOf } from "./application/event-relay.ts";
export type { FollowOptions } from "./application/follow-run.ts";
export { Orchestrator } from "./application/orchestrator.ts";
export type { ArtifactListing } from "./application/read-artifacts.ts";
export { runSummaryOf } from "./application/run-summary.ts";
export type { RunningWorker, WorkerOptions } from "./application/run-worker.ts";
export { DEFAULT_SETTINGS, type Settings } from "./application/settings.ts";
export type { Submitted } from "./application/submit-run.ts";
export type { ArtifactProblem, ArtifactVerdict } from "./application/verify-artifacts.ts";
export { branchNameFor, isBranchName } from "./domain/branch-name.ts";
export { type Decision, decide, type Refusal, type RunEvent } from "./domain/decide.ts";
export { ERROR_CODES, type ErrorCode, isErrorCode } from "./domain/error-codes.ts";
export { EXIT_CODES, type ExitCode, exitCodeOf, exitCodeOfFailure } from "./domain/exit-codes.ts";
export {
  type Disposition,
  dispositionOf,
  FAILURE_CLASSES,
  type Failure,
  type FailureClass,
  type Finding,
  failure,
} from "./domain/failure.ts";
export {
  AGENT_PHASES,
  type AgentPhase,
  PHASES,
  type Phase,
  type PipelinePhase,
} from "./domain/phase.ts";
export type { PullRequestRecord } from "./domain/pull-request/pull-request-record.ts";
export {
  newRunState,
  OUTCOMES,
  type Outcome,
  RUN_STATUSES,
  type RunState,
  type RunStatus,
} from "./domain/run-state.ts";
export { failureOf, isSpeckitError, runNotFound, SpeckitError } from "./domain/speckit-error.ts";
export { CHECKS, type CheckName } from "./ports/checks.ts";
export { DIAGNOSIS_STATES } from "./ports/diagnosis.ts";
export type * from "./ports/index.ts";
export { RUNTIMES } from "./ports/job-runtime.ts";
export { METRICS } from "./ports/metrics.ts";
