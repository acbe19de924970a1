import type { RunResult } from "../contract/run-result.ts";
import { type AgentPhase, PHASES, type Phase } from "../domain/phase.ts";
import { runNotFound } from "../domain/speckit-error.ts";
import type { StoredArtifact } from "../ports/artifact-store.ts";
import type { AttemptRecord, RunRecord } from "../ports/run-record.ts";
import type { RunRepository } from "../ports/run-repository.ts";
import { totalUsage } from "./total-usage.ts";
import { waitOf } from "./wait-of.ts";

/** Reads a run's result envelope as it stands now. @throws SpeckitError `RUN_NOT_FOUND` */
export async function readRunResult(
  deps: { readonly runs: RunRepository },
  runId: string,
): Promise<RunResult> {
  const run = await deps.runs.findRun(runId);
  if (run === undefined) {
    throw runNotFound(runId);
  }
  const [attempts, artifacts] = await Promise.all([
    deps.runs.attemptsOf(runId),
    deps.runs.artifactsOf(runId),
  ]);
  return runResultOf(run, attempts, artifacts);
}

export function runResultOf(
  run: RunRecord,
  attempts: readonly AttemptRecord[],
  artifacts: readonly StoredArtifact[],
): RunResult {
  const wait = waitOf(run, attempts);
  const waits = run.status === "in_progress" && wait !== undefined;
  const asks = run.status === "needs_input";
  const proposed = attempts.find((attempt) => attempt.state === "proposed");
  const summary = proposed?.proposal?.facts.summary ?? run.summary;
  const { externalRef, metadata } = run.request;
  return {
    runId: run.runId,
    status: run.status,
    repository: run.repository,
    branch: run.branch,
    pushed: run.pushed,
    baseSha: run.baseSha,
    headSha: run.tipSha,
    featureDirectory: run.featureDirectory,
    agent: run.agent,
    ...(run.specKit === null ? {} : { specKit: run.specKit }),
    ...(summary === null ? {} : { summary }),
    assumptions: assumptionsOf(summary, attempts),
    phases: PHASES.map((phase) => phaseResult(phase, attempts)),
    openQuestions: newestSpecification(attempts)?.openQuestions ?? [],
    usage: totalUsage(attempts),
    diff: run.diff ?? { files: 0, insertions: 0, deletions: 0 },
    ...(run.pullRequest === null ? {} : { pullRequest: run.pullRequest }),
    artifacts: run.artifactsDeletedAt === null ? [...artifacts] : [],
    ...(run.artifactsExpireAt === null
      ? {}
      : { artifactsExpireAt: run.artifactsExpireAt.toISOString() }),
    ...(run.artifactsDeletedAt === null
      ? {}
      : { artifactsDeletedAt: run.artifactsDeletedAt.toISOString() }),
    ...(run.keptAt === null
      ? {}
      : { kept: { since: run.keptAt.toISOString(), reason: run.keptReason } }),
    ...(asks && proposed === undefined
      ? { waitingFor: "input", questionRound: run.questionRound }
      : {}),
    ...(asks && proposed !== undefined
      ? { waitingFor: "approval", approval: approvalOf(proposed) }
      : {}),
    ...(asks ? { answerBy: run.dueAt.toISOString() } : {}),
    ...(run.retryOf === null ? {} : { retryOf: run.retryOf }),
    ...(waits ? { waitingFor: wait } : {}),
    ...(waits && run.wakeAt !== null ? { nextLookAt: run.wakeAt.toISOString() } : {}),
    ...(run.failure === null ? {} : { failure: run.failure }),
    ...(externalRef === undefined ? {} : { externalRef }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function newestSpecification(attempts: readonly AttemptRecord[]): AttemptRecord | undefined {
  return attempts.findLast(
    (attempt) => attempt.phase === "specify" && attempt.state !== "interrupted",
  );
}

/** What the specification takes for granted, and its questions once it stands without their answers. */
function assumptionsOf(
  summary: RunRecord["summary"],
  attempts: readonly AttemptRecord[],
): readonly string[] {
  const specification = newestSpecification(attempts);
  const stands = specification?.state === "succeeded" || specification?.state === "proposed";
  const unanswered = stands ? specification.openQuestions : [];
  return [
    ...(summary?.assumptions ?? []),
    ...unanswered.map(({ text }) => `Not answered, the agent has decided: ${text}`),
  ];
}

function approvalOf({
  phase,
  attempt,
  proposal,
}: AttemptRecord): NonNullable<RunResult["approval"]> {
  const { file = "", artifact = "" } = proposal?.told ?? {};
  return { phase: phase as AgentPhase, attempt, file: String(file), artifact: String(artifact) };
}

function phaseResult(
  phase: Phase,
  attempts: readonly AttemptRecord[],
): RunResult["phases"][number] {
  const last = attempts.findLast((attempt) => attempt.phase === phase);
  if (last === undefined) {
    return { name: phase, status: "pending", attempt: 0, durationMs: null, findings: [] };
  }
  return {
    name: phase,
    status: last.state,
    attempt: last.attempt,
    durationMs: last.durationMs,
    findings: last.findings,
    ...(last.failure === null ? {} : { failure: last.failure }),
  };
}
