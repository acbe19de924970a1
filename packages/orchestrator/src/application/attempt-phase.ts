import { assertNever } from "../domain/assert-never.ts";
import { MAX_IDLE_CLAIMS } from "../domain/crash-loop.ts";
import { decide } from "../domain/decide.ts";
import { dispositionOf, type Failure, failure } from "../domain/failure.ts";
import { isAgentPhase, type PipelinePhase } from "../domain/phase.ts";
import { type AnsweredQuestion, pairAnswers } from "../domain/questions.ts";
import type { RunState } from "../domain/run-state.ts";
import { failureOf, isSpeckitError } from "../domain/speckit-error.ts";
import type { AttemptRecord } from "../ports/run-record.ts";
import type { CarryDependencies, Situation } from "./carry-run.ts";
import type { Ending } from "./ending.ts";
import { agentPhase } from "./phases/agent-phase.ts";
import type { Evidence, PhaseContext, PhaseReport } from "./phases/phase-work.ts";
import { prepare } from "./phases/prepare.ts";
import { publish } from "./phases/publish.ts";
import { pullRequest } from "./phases/pull-request.ts";
import { removeJob } from "./phases/start-job.ts";
import { AgentLeft } from "./phases/supervise-agent.ts";
import { recordEnd } from "./record-end.ts";
import { totalUsage } from "./total-usage.ts";
import { isDatabaseAway } from "./until-available.ts";
import { orLost } from "./while-held.ts";

/**
 * Starts the run's next phase, or goes on with the attempt that an earlier owner has opened and whose
 * container outlived it; carries it out and commits what came of it.
 *
 * @param open the attempt to go on with
 * @returns the run's state after that commit; still `running` when the agent was left to the next owner
 * @throws SpeckitError `RUN_FENCED` when the lease was lost meanwhile: then nothing was written
 */
export async function attemptPhase(
  deps: CarryDependencies,
  situation: Situation,
  open?: AttemptRecord,
): Promise<RunState> {
  const { run, attempts, lease, stopping } = situation;
  const phase = run.pipeline[run.phaseIx];
  if (phase === undefined) {
    throw new Error(`Run ${run.runId}: no phase ${run.phaseIx} in its pipeline`);
  }
  const answers = await answersTo(deps, situation);
  const attempt = open?.attempt ?? (await openAttempt(deps, situation, phase));
  const state = open === undefined ? startedState(situation, phase) : situation.state;
  const logger = deps.logger.with({ phase, attempt, containerId: open?.place?.containerId });
  logger.info(open === undefined ? "phase started" : "phase gone on with");
  const startedMs = deps.clock.monotonicMs() - (open?.durationMs ?? 0);
  const workedMs = (): number => deps.clock.monotonicMs() - startedMs;
  const { deadlineMs, isLastOfRun } = deadline(deps, situation, open);
  const evidence: Evidence = { artifacts: [] };
  const told = lastTold(attempts, phase);
  const context: PhaseContext = {
    deps: { ...deps, logger },
    run,
    lease,
    attempt,
    placed: open?.place ?? null,
    findings: told?.findings ?? [],
    repairs: isNewest(attempts, told) ? told.attempt : undefined,
    answers,
    spent: totalUsage(attempts),
    comments: comments(attempts, phase),
    leftMs: () => deadlineMs - workedMs(),
    isLastOfRun,
    signal: AbortSignal.any([lease.lost, lease.cancelled, stopping]),
    letGo: AbortSignal.any([lease.lost, stopping]),
    evidence,
    onEvents: () => deps.relay.kick(run.runId),
  };
  const name = { runId: run.runId, phase, attempt };
  try {
    const ending = await carryOut(context, phase);
    logger.info(`phase ${ending.how}`, {
      durationMs: Math.round(workedMs()),
      ...(evidence.containerId === undefined ? {} : { containerId: evidence.containerId }),
      ...("failure" in ending ? { code: ending.failure.code, reason: ending.failure.message } : {}),
    });
    if (ending.how === "left") {
      return state;
    }
    deps.metrics?.timing("phase_duration_ms", workedMs(), { phase, became: ending.how });
    const after = await record(
      { ...deps, logger },
      { ...situation, state },
      { ...ending, attempt, evidence },
    );
    // Only now: until its result was committed the next owner would have gone on with it.
    await removeJob({ ...deps, logger }, name);
    return after;
  } finally {
    // After the result, which a worker that dies meanwhile would take with it. Cleanup removes
    // whatever this leaves.
    await deps.git
      .removeAttempt(run.runId, { phase, attempt })
      .catch((error: unknown) => logger.warn("attempt not removed", { error: String(error) }));
  }
}

async function openAttempt(
  deps: CarryDependencies,
  { run, lease }: Situation,
  phase: PipelinePhase,
): Promise<number> {
  const attempt = await orLost(lease, deps.runs.startAttempt(lease.hold, phase));
  await deps.reach?.("attempt.opened", { runId: run.runId, phase, attempt });
  deps.relay.kick(run.runId);
  return attempt;
}

function startedState({ run, state }: Situation, phase: PipelinePhase): RunState {
  const started = decide(state, { type: "phase.started" });
  if (!started.accepted) {
    throw new Error(`Run ${run.runId}: ${phase} started although ${started.why}`);
  }
  return started.state;
}

/** A result that cannot be stored counts as a failure: else it would be made again and again. */
async function record(
  deps: CarryDependencies,
  situation: Situation,
  ending: Ending & { readonly attempt: number; readonly evidence: Evidence },
): Promise<RunState> {
  try {
    return await recordEnd(deps, situation, ending);
  } catch (error) {
    if (isSpeckitError(error)) {
      throw error;
    }
    deps.logger.error("result not stored", { error: String(error) });
    const { attempt } = ending;
    return recordEnd(deps, situation, { ...endingOf(failureOf(error)), attempt });
  }
}

/** `left`: the agent goes on without this worker, and nothing is recorded. */
async function carryOut(
  context: PhaseContext,
  phase: PipelinePhase,
): Promise<Ending | { readonly how: "left" }> {
  const { deps, lease, letGo } = context;
  try {
    const report = await workOf(context, phase);
    if (report.failure === undefined) {
      const isProposed = isAgentPhase(phase) && context.run.request.pauseAfter?.includes(phase);
      return { how: isProposed === true ? "proposed" : "succeeded", report };
    }
    const { openQuestions } = report;
    return {
      ...endingOf(report.failure),
      ...(openQuestions === undefined ? {} : { openQuestions }),
    };
  } catch (error) {
    lease.lost.throwIfAborted();
    if (isSpeckitError(error) && error.class === "fenced") {
      throw error;
    }
    if (error instanceof AgentLeft) {
      return { how: "left" };
    }
    if (lease.cancelled.aborted) {
      return { how: "cancelled" };
    }
    if (letGo.aborted) {
      return interrupted("The worker stopped and handed the run over");
    }
    if (isDatabaseAway(error)) {
      return interrupted("The database was away at the wrong moment");
    }
    if (!isSpeckitError(error)) {
      deps.logger.error("unexpected error", {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    return endingOf(failureOf(error));
  }
}

function endingOf(failed: Failure): Ending {
  const how = dispositionOf(failed.class) === "restart" ? "interrupted" : "failed";
  return { how, failure: failed };
}

function interrupted(why: string): Ending {
  return { how: "interrupted", failure: failure("WORKER_REPLACED", why) };
}

function workOf(context: PhaseContext, phase: PipelinePhase): Promise<PhaseReport> {
  if (context.run.idleClaims > MAX_IDLE_CLAIMS && context.placed === null) {
    return Promise.resolve({
      changed: false,
      failure: failure(
        "SUPERVISOR_CRASHED",
        `More than ${MAX_IDLE_CLAIMS} claims in a row have come to nothing before ${phase}`,
      ),
    });
  }
  if (context.leftMs() <= 0) {
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
    case "pull_request":
      return pullRequest(context);
    default:
      return assertNever(phase);
  }
}

/** The nearer of the phase's deadline and what is left of the run's working time. */
function deadline(
  deps: CarryDependencies,
  { run, attempts }: Situation,
  open: AttemptRecord | undefined,
): { readonly deadlineMs: number; readonly isLastOfRun: boolean } {
  const { phaseDeadlineMs, runDeadlineMs } = deps.settings;
  const limitMs = Math.min(runDeadlineMs, run.request.limits?.deadlineMs ?? runDeadlineMs);
  const before = attempts.filter((row) => row !== open);
  const workedMs = before.reduce((sum, row) => sum + (row.durationMs ?? 0), 0);
  const leftMs = limitMs - workedMs;
  return { deadlineMs: Math.min(phaseDeadlineMs, leftMs), isLastOfRun: leftMs < phaseDeadlineMs };
}

async function answersTo(
  deps: CarryDependencies,
  { run, attempts, lease }: Situation,
): Promise<readonly AnsweredQuestion[]> {
  if (run.questionRound === 0) {
    return [];
  }
  const asked = attempts.filter((row) => row.failure?.code === "QUESTIONS_OPEN");
  const answered = await orLost(lease, deps.runs.answersOf(run.runId));
  return pairAnswers(
    asked.map((row) => row.openQuestions),
    answered,
  );
}

function comments(
  attempts: readonly AttemptRecord[],
  phase: PipelinePhase,
): PhaseContext["comments"] {
  return attempts.flatMap((row) =>
    row.phase === phase && row.proposal?.decision === "rejected" && row.proposal.comment !== null
      ? [row.proposal.comment]
      : [],
  );
}

/** No other attempt of its phase came after it: a conversation that could not be gone on with is left. */
function isNewest(
  attempts: readonly AttemptRecord[],
  told: AttemptRecord | undefined,
): told is AttemptRecord {
  return told !== undefined && attempts.findLast((row) => row.phase === told.phase) === told;
}

/**
 * The newest attempt of a phase whose files were looked at, if something was wrong with them: what a
 * later one has made right, and asked or proposed, needs no repair.
 */
function lastTold(
  attempts: readonly AttemptRecord[],
  phase: PipelinePhase,
): AttemptRecord | undefined {
  const judged = attempts.findLast(
    (row) =>
      row.phase === phase &&
      (row.findings.length > 0 || row.openQuestions.length > 0 || row.proposal !== null),
  );
  return judged?.findings.length === 0 ? undefined : judged;
}
