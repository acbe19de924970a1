import { decide, type RunEvent } from "../domain/decide.ts";
import { type Failure, failure } from "../domain/failure.ts";
import { neverStarted } from "../domain/never-started.ts";
import type { Phase, PipelinePhase } from "../domain/phase.ts";
import { dueInMs, MAX_STARTS_PER_PHASE, wakeInMs } from "../domain/retry-policy.ts";
import type { Outcome, RunState } from "../domain/run-state.ts";
import type { AttemptCommit, AttemptEnd, NewEvent } from "../ports/run-repository.ts";
import type { CarryDependencies, Situation } from "./carry-run.ts";
import { commitSurely } from "./commit-surely.ts";
import type { Evidence, PhaseReport } from "./phases/phase-work.ts";

/** What became of an attempt. */
export type Ending =
  | { readonly how: "succeeded"; readonly report: PhaseReport }
  | { readonly how: "failed"; readonly failure: Failure }
  | { readonly how: "interrupted"; readonly failure: Failure }
  | { readonly how: "cancelled" };

/** The same with the attempt it is about, or of a run that is cancelled between two. */
export type AttemptEnding =
  | (Ending & {
      readonly attempt: number;
      readonly evidence?: Evidence;
      /** When its owner was last known to have it; default now. */
      readonly endedAt?: Date | undefined;
    })
  | { readonly how: "cancelled"; readonly attempt?: undefined };

/**
 * Commits how an attempt ended, together with everything that follows from it: the next phase, a
 * wait, or the run's outcome. What follows is decided by the domain; this only writes it down.
 *
 * @returns the run's state after the commit
 */
export async function recordEnd(
  deps: CarryDependencies,
  situation: Situation,
  ending: AttemptEnding,
): Promise<RunState> {
  const { run, state, lease } = situation;
  const phase: PipelinePhase = run.pipeline[run.phaseIx] ?? "publish";
  const decision = decide(cancelKnown(state, ending), domainEvent(ending));
  if (!decision.accepted) {
    throw new Error(`Run ${run.runId}: ${phase} ${ending.how} although ${decision.why}`);
  }
  const next = decision.state;
  const commit: AttemptCommit = {
    ...endOf(phase, ending),
    ...stored(ending),
    ...(next.kind === "ready" ? { phaseIx: next.phaseIx } : {}),
    ...(next.kind === "waiting"
      ? {
          wait: {
            dueInMs: dueInMs(next.tierMs, deps.clock.random()),
            wakeInMs: wakeInMs(next.tierMs),
          },
        }
      : {}),
    ...(next.kind === "ended"
      ? { outcome: outcomeOf(situation, next.outcome, phase, ending) }
      : {}),
    events: eventsOf(phase, ending, next),
  };
  await commitSurely(deps, lease, commit);
  return next;
}

/** The lease's renewal may know of a cancel before the row was read again. */
function cancelKnown(state: RunState, ending: AttemptEnding): RunState {
  return ending.how === "cancelled" && state.kind !== "ended"
    ? { ...state, cancelRequested: true }
    : state;
}

function domainEvent(ending: AttemptEnding): RunEvent {
  switch (ending.how) {
    case "succeeded":
      return { type: "phase.succeeded", changed: ending.report.changed };
    case "failed":
      return { type: "phase.failed", failureClass: ending.failure.class };
    case "interrupted":
      return { type: "phase.interrupted" };
    case "cancelled":
      return { type: "phase.cancelled" };
  }
}

function endOf(phase: PipelinePhase, ending: AttemptEnding): { readonly end?: AttemptEnd } {
  if (ending.attempt === undefined) {
    return {};
  }
  const { attempt, how, evidence, endedAt } = ending;
  const report = "report" in ending ? ending.report : undefined;
  return {
    end: {
      phase,
      attempt,
      state: how,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...("failure" in ending
        ? { failure: ending.failure, findings: ending.failure.findings ?? [] }
        : {}),
      ...(report === undefined ? {} : { changed: report.changed }),
      ...(evidence?.usage === undefined ? {} : { usage: evidence.usage }),
      ...(report?.openQuestions === undefined ? {} : { openQuestions: report.openQuestions }),
    },
  };
}

function stored(ending: AttemptEnding): Partial<AttemptCommit> {
  const { facts, checkpoint } = "report" in ending ? ending.report : {};
  const artifacts = ending.attempt === undefined ? undefined : ending.evidence?.artifacts;
  return {
    ...(facts === undefined ? {} : { facts }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(artifacts === undefined ? {} : { artifacts }),
  };
}

function eventsOf(phase: Phase, ending: AttemptEnding, next: RunState): readonly NewEvent[] {
  if (ending.attempt === undefined) {
    return [];
  }
  const data =
    ending.how === "succeeded"
      ? { changed: ending.report.changed, ...ending.report.told }
      : "failure" in ending
        ? { failure: ending.failure }
        : {};
  const event: NewEvent = { type: `phase.${ending.how}`, phase, attempt: ending.attempt, data };
  return next.kind === "waiting"
    ? [event, { type: "run.waiting", phase, data: { tierMs: next.tierMs } }]
    : [event];
}

function outcomeOf(
  { run, attempts }: Situation,
  outcome: Outcome,
  phase: PipelinePhase,
  ending: AttemptEnding,
): NonNullable<AttemptCommit["outcome"]> {
  const failed = runFailure(outcome, phase, ending);
  const started = new Set<Phase>(attempts.map((row) => row.phase));
  if (ending.attempt !== undefined) {
    started.add(phase);
  }
  const facts = "report" in ending ? (ending.report.facts ?? {}) : {};
  return {
    outcome,
    ...(failed === undefined ? {} : { failure: failed }),
    closing: (held) => ({
      neverStarted: neverStarted(run.pipeline, [...started], held),
      events: [
        {
          type: `run.${held}`,
          data: {
            repository: run.repository,
            branch: run.branch,
            baseSha: run.baseSha,
            headSha: run.tipSha,
            featureDirectory: run.featureDirectory,
            pushed: facts.pushed ?? false,
            ...(facts.diff === undefined ? {} : { diff: facts.diff }),
            ...(held === "failed" && failed !== undefined ? { failure: failed } : {}),
          },
        },
      ],
    }),
  };
}

function runFailure(
  outcome: Outcome,
  phase: PipelinePhase,
  ending: AttemptEnding,
): Failure | undefined {
  if (outcome !== "failed" || !("failure" in ending)) {
    return undefined;
  }
  // What spends no budget ends a run only by the number of starts.
  return ending.how === "interrupted"
    ? failure(
        "TOO_MANY_STARTS",
        `${phase} was started ${MAX_STARTS_PER_PHASE} times without an end`,
      )
    : ending.failure;
}
