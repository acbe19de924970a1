import { isLimit, MAX_COOLED_MS } from "../domain/cool-down.ts";
import { type Failure, failure } from "../domain/failure.ts";
import { neverStarted } from "../domain/never-started.ts";
import type { Phase, PipelinePhase } from "../domain/phase.ts";
import { MAX_STARTS_PER_PHASE } from "../domain/retry-policy.ts";
import type { Outcome } from "../domain/run-state.ts";
import type { AttemptCommit } from "../ports/attempt-commit.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { Situation } from "./carry-run.ts";
import type { AttemptEnding } from "./ending.ts";

/** How the run ends with an attempt, or between two: its failure, and what its closing event says. */
export function outcomeOf(
  { run, attempts }: Situation,
  outcome: Outcome,
  phase: PipelinePhase,
  ending: AttemptEnding,
): NonNullable<AttemptCommit["outcome"]> {
  const failed = runFailure(run, outcome, phase, ending);
  const started = new Set<Phase>(attempts.map((row) => row.phase));
  if (ending.attempt !== undefined) {
    started.add(phase);
  }
  const facts = "report" in ending ? (ending.report.facts ?? {}) : {};
  const diff = facts.diff ?? run.diff;
  const pullRequest = facts.pullRequest ?? run.pullRequest;
  return {
    outcome,
    ...(failed === undefined ? {} : { failure: failed }),
    closing: (held) => ({
      neverStarted: neverStarted(run.pipeline.slice(run.firstPhaseIx), [...started], held),
      events: [
        {
          type: `run.${held}`,
          data: {
            repository: run.repository,
            branch: run.branch,
            baseSha: run.baseSha,
            headSha: run.tipSha,
            featureDirectory: run.featureDirectory,
            pushed: facts.pushed ?? run.pushed,
            ...(diff === null ? {} : { diff }),
            ...(pullRequest === null ? {} : { pullRequest }),
            ...(held === "failed" && failed !== undefined ? { failure: failed } : {}),
          },
        },
      ],
    }),
  };
}

function runFailure(
  { cooledMs }: RunRecord,
  outcome: Outcome,
  phase: PipelinePhase,
  ending: AttemptEnding,
): Failure | undefined {
  if (outcome !== "failed") {
    return undefined;
  }
  if (ending.how === "input_expired") {
    return failure(
      "QUESTIONS_UNANSWERED",
      `${phase}: nobody has answered round ${ending.round} of its questions`,
    );
  }
  if (ending.how === "cooling") {
    return waitTooLong(phase, cooledMs);
  }
  if (!("failure" in ending)) {
    return undefined;
  }
  if (isLimit(ending.failure.class)) {
    return waitTooLong(phase, cooledMs, ending.failure.resetsAt);
  }
  // What spends no budget ends a run only by the number of starts.
  return ending.how === "interrupted" || ending.how === "moved"
    ? failure(
        "TOO_MANY_STARTS",
        `${phase} was started ${MAX_STARTS_PER_PHASE} times without an end`,
      )
    : ending.failure;
}

function waitTooLong(phase: Phase, cooledMs: number, resetsAt?: string): Failure {
  const hours = (ms: number): string => `${Math.round(ms / 360_000) / 10} h`;
  return failure(
    "QUOTA_WAIT_TOO_LONG",
    `${phase}: the model provider's limit would keep the run waiting for more than ${hours(MAX_COOLED_MS)}, or has ended ${MAX_STARTS_PER_PHASE} starts; it has waited ${hours(cooledMs)} so far`,
    { resetsAt },
  );
}
