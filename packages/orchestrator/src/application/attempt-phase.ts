import { assertNever } from "../domain/assert-never.ts";
import { decide } from "../domain/decide.ts";
import { failure } from "../domain/failure.ts";
import type { PipelinePhase } from "../domain/phase.ts";
import type { RunState } from "../domain/run-state.ts";
import { failureOf, isSpeckitError } from "../domain/speckit-error.ts";
import type { AttemptRecord } from "../ports/run-repository.ts";
import type { CarryDependencies, Situation } from "./carry-run.ts";
import { agentPhase } from "./phases/agent-phase.ts";
import type { PhaseContext, PhaseReport } from "./phases/phase-work.ts";
import { prepare } from "./phases/prepare.ts";
import { publish } from "./phases/publish.ts";
import { type AttemptEnding, recordEnd } from "./record-end.ts";

/**
 * Starts the run's next phase, carries it out and commits what came of it.
 *
 * @returns the run's state after that commit
 * @throws SpeckitError `RUN_FENCED` when the lease was lost meanwhile: then nothing was written
 */
export async function attemptPhase(
  deps: CarryDependencies,
  situation: Situation,
): Promise<RunState> {
  const { run, attempts, lease, stopping, state } = situation;
  const phase = run.pipeline[run.phaseIx];
  if (phase === undefined) {
    throw new Error(`Run ${run.runId}: no phase ${run.phaseIx} in its pipeline`);
  }
  const attempt = await deps.runs.startAttempt(lease.hold, phase);
  deps.relay.kick(run.runId);
  const logger = deps.logger.with({ phase, attempt, branch: run.branch });
  logger.info("phase started");
  const started = decide(state, { type: "phase.started" });
  if (!started.accepted) {
    throw new Error(`Run ${run.runId}: ${phase} started although ${started.why}`);
  }
  const startedMs = deps.clock.monotonicMs();
  const context: PhaseContext = {
    deps: { ...deps, logger },
    run,
    lease,
    attempt,
    findings: lastFindings(attempts, phase),
    ...deadline(deps, situation),
    signal: AbortSignal.any([lease.lost, lease.cancelled, stopping]),
    onEvents: () => deps.relay.kick(run.runId),
  };
  const ending = await carryOut(context, phase, stopping);
  const durationMs = Math.round(deps.clock.monotonicMs() - startedMs);
  logger.info(`phase ${ending.how}`, {
    durationMs,
    ...("failure" in ending ? { code: ending.failure.code, reason: ending.failure.message } : {}),
  });
  return recordEnd(deps, { ...situation, state: started.state }, ending);
}

async function carryOut(
  context: PhaseContext,
  phase: PipelinePhase,
  stopping: AbortSignal,
): Promise<AttemptEnding> {
  const { attempt, lease } = context;
  try {
    const report = await workOf(context, phase);
    const { failure: failed } = report;
    if (failed === undefined) {
      return { how: "succeeded", attempt, report };
    }
    return failed.class === "interrupted"
      ? { how: "interrupted", attempt, failure: failed }
      : { how: "failed", attempt, failure: failed, report };
  } catch (error) {
    lease.lost.throwIfAborted();
    if (lease.cancelled.aborted) {
      return { how: "cancelled", attempt };
    }
    if (stopping.aborted) {
      const stopped = failure("WORKER_REPLACED", "The worker stopped and handed the run over");
      return { how: "interrupted", attempt, failure: stopped };
    }
    if (isSpeckitError(error) && error.class === "fenced") {
      throw error;
    }
    if (isSpeckitError(error) && error.class === "interrupted") {
      return { how: "interrupted", attempt, failure: error.failure };
    }
    if (isSpeckitError(error) && error.code === "DATABASE_UNAVAILABLE") {
      const away = failure("WORKER_REPLACED", "The database was away at the wrong moment");
      return { how: "interrupted", attempt, failure: away };
    }
    if (!isSpeckitError(error)) {
      context.deps.logger.error("unexpected error", {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    return { how: "failed", attempt, failure: failureOf(error), report: { changed: false } };
  } finally {
    const { deps, run } = context;
    // Cleanup removes whatever this leaves; a full disk is no reason to lose the phase's result.
    await deps.git
      .removeAttempt(run.runId, { phase, attempt })
      .catch((error: unknown) => deps.logger.warn("attempt not removed", { error: String(error) }));
  }
}

function workOf(context: PhaseContext, phase: PipelinePhase): Promise<PhaseReport> {
  if (context.deadlineMs <= 0) {
    return Promise.resolve({
      changed: false,
      failure: failure(
        "RUN_DEADLINE_EXCEEDED",
        `The run's working time was used up before ${phase}`,
      ),
    });
  }
  switch (phase) {
    case "prepare":
      return prepare(context);
    case "specify":
    case "plan":
    case "tasks":
      return agentPhase(context, phase);
    case "publish":
      return publish(context);
    default:
      return assertNever(phase);
  }
}

/** The nearer of the phase's deadline and what is left of the run's working time. */
function deadline(
  deps: CarryDependencies,
  { run, attempts }: Situation,
): { readonly deadlineMs: number; readonly isLastOfRun: boolean } {
  const { phaseDeadlineMs, runDeadlineMs } = deps.settings;
  const limitMs = Math.min(runDeadlineMs, run.request.limits?.deadlineMs ?? runDeadlineMs);
  const workedMs = attempts.reduce((sum, row) => sum + (row.durationMs ?? 0), 0);
  const leftMs = limitMs - workedMs;
  return { deadlineMs: Math.min(phaseDeadlineMs, leftMs), isLastOfRun: leftMs < phaseDeadlineMs };
}

function lastFindings(
  attempts: readonly AttemptRecord[],
  phase: PipelinePhase,
): PhaseContext["findings"] {
  const last = attempts.findLast((row) => row.phase === phase && row.state === "failed");
  return last?.failure?.findings ?? [];
}
