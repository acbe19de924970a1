import { coolDownMs, isLimit, MAX_COOLED_MS } from "../domain/cool-down.ts";
import { decide, type RunEvent } from "../domain/decide.ts";
import { type Failure, failure } from "../domain/failure.ts";
import { neverStarted } from "../domain/never-started.ts";
import type { Phase, PipelinePhase } from "../domain/phase.ts";
import type { Question } from "../domain/questions.ts";
import { dueInMs, MAX_STARTS_PER_PHASE, wakeInMs } from "../domain/retry-policy.ts";
import type { Outcome, RunState } from "../domain/run-state.ts";
import type { AttemptCommit, AttemptEnd, NewEvent, RunRecord } from "../ports/run-repository.ts";
import type { CarryDependencies, Situation } from "./carry-run.ts";
import { commitSurely } from "./commit-surely.ts";
import { credentialOf } from "./credential-rest.ts";
import type { Evidence, PhaseReport } from "./phases/phase-work.ts";

/** What became of an attempt. */
export type Ending =
  | { readonly how: "succeeded"; readonly report: PhaseReport }
  /** The same, and people are to approve it first. */
  | { readonly how: "proposed"; readonly report: PhaseReport }
  | {
      readonly how: "failed";
      readonly failure: Failure;
      /** What the phase asks, when that is its failure. */
      readonly openQuestions?: readonly Question[];
    }
  | { readonly how: "interrupted"; readonly failure: Failure }
  /** Its engine is lost: the phase starts again when nothing of it can go on there. */
  | { readonly how: "moved"; readonly failure: Failure }
  | { readonly how: "cancelled" };

/** The same with the attempt it is about, or of a run that ends between two. */
export type AttemptEnding =
  | (Ending & {
      readonly attempt: number;
      readonly evidence?: Evidence;
      /** When its owner was last known to have it; default now. */
      readonly endedAt?: Date | undefined;
      /** A proposed one: nobody has decided in time. */
      readonly isExpired?: boolean;
    })
  | { readonly how: "cancelled"; readonly attempt?: undefined }
  | { readonly how: "input_expired"; readonly attempt?: undefined; readonly round: number }
  /** Nothing was started: the run's credential rests. */
  | { readonly how: "cooling"; readonly attempt?: undefined; readonly coolDownMs: number };

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
  const decided = (from: RunState, event: RunEvent): RunState => {
    const decision = decide(from, event);
    if (!decision.accepted) {
      throw new Error(`Run ${run.runId}: ${phase} ${ending.how} although ${decision.why}`);
    }
    return decision.state;
  };
  const after = decided(asKnown(state, ending), domainEvent(ending));
  const restMs = coolDownOf(deps, ending, state, after);
  const next =
    after.kind === "limited"
      ? decided(after, { type: "run.cooling", coolDownMs: restMs ?? 0 })
      : after;
  const commit: AttemptCommit = {
    ...(state.kind === "proposed" ? conclusion(phase, ending) : endOf(phase, ending)),
    ...stored(ending),
    ...(next.kind === "ready" ? { phaseIx: next.phaseIx } : {}),
    ...waitOf(deps, next, run, ending.how === "moved" ? "fence" : restMs),
    ...(next.kind === "ended"
      ? { outcome: outcomeOf(situation, next.outcome, phase, ending) }
      : {}),
    events: [
      ...eventsOf(phase, ending),
      ...(restMs === undefined ? [] : [coolingEvent(deps, run, phase, restMs)]),
      ...restingEvents(deps, situation, phase, ending, next),
    ],
  };
  const write = () => commitSurely(deps, lease, commit);
  await (commit.wait === undefined ? write() : lease.giveBack(write));
  if (next.kind === "needs_input" || next.kind === "proposed") {
    deps.metrics?.count("pauses", {});
  } else if ("failure" in ending && next.kind !== "ended") {
    deps.metrics?.count("retries", { class: ending.failure.class });
  }
  return next;
}

/** After the deadline of an answer the sweeper looks a little later than the run is due. */
const AFTER_DEADLINE_MS = 5_000;

/**
 * How long the run rests for a limit, undefined when it does not. The time the provider has told is
 * a moment of this worker's clock, which was read a moment ago: only the difference counts.
 */
function coolDownOf(
  { clock }: CarryDependencies,
  ending: AttemptEnding,
  before: RunState,
  after: RunState,
): number | undefined {
  if (ending.how === "cooling") {
    return ending.coolDownMs;
  }
  if (after.kind !== "limited" || before.kind === "ended" || !("failure" in ending)) {
    return undefined;
  }
  const { class: limit, resetsAt } = ending.failure;
  const toldMs = resetsAt === undefined ? undefined : Date.parse(resetsAt) - clock.now().getTime();
  return isLimit(limit) ? coolDownMs(limit, toldMs, before.earlier, clock.random()) : undefined;
}

function coolingEvent(
  deps: CarryDependencies,
  run: RunRecord,
  phase: Phase,
  restMs: number,
): NewEvent {
  const credential = credentialOf(deps, run);
  return {
    type: "run.cooling",
    phase,
    data: { coolDownMs: restMs, ...(credential === undefined ? {} : { credential }) },
  };
}

function waitOf(
  deps: CarryDependencies,
  next: RunState,
  run: RunRecord,
  restMs: number | "fence" = 0,
): Pick<AttemptCommit, "wait"> {
  const { clock, settings } = deps;
  switch (next.kind) {
    case "waiting":
      if (restMs === "fence") {
        const { fenceMs } = settings;
        return { wait: { dueInMs: fenceMs, wakeInMs: fenceMs, forFence: true } };
      }
      return next.tierMs === null
        ? {
            wait: {
              dueInMs: restMs,
              wakeInMs: restMs,
              coolDown: { credential: credentialOf(deps, run) ?? null },
            },
          }
        : {
            wait: {
              dueInMs: dueInMs(next.tierMs, clock.random()),
              wakeInMs: wakeInMs(next.tierMs),
            },
          };
    case "needs_input":
    case "proposed": {
      const dueIn = settings.answerWithinMs;
      const forInput = next.kind === "proposed" ? "approval" : "questions";
      return { wait: { dueInMs: dueIn, wakeInMs: dueIn + AFTER_DEADLINE_MS, forInput } };
    }
    default:
      return {};
  }
}

/**
 * The state with what the ending knows besides: the lease's renewal may know of a cancel before the
 * row was read again, and no row says that the time to decide is over.
 */
function asKnown(state: RunState, ending: AttemptEnding): RunState {
  if (ending.how === "cancelled" && state.kind !== "ended") {
    return { ...state, cancelRequested: true };
  }
  return isExpired(ending) && state.kind === "proposed" ? { ...state, decision: "expired" } : state;
}

function isExpired(ending: AttemptEnding): boolean {
  return "isExpired" in ending && ending.isExpired === true;
}

function domainEvent(ending: AttemptEnding): RunEvent {
  switch (ending.how) {
    case "proposed":
      return { type: "phase.proposed" };
    case "succeeded":
      return { type: "phase.succeeded", changed: ending.report.changed };
    case "failed":
      return { type: "phase.failed", failureClass: ending.failure.class };
    case "interrupted":
      return { type: "phase.interrupted" };
    case "moved":
      return { type: "phase.moved" };
    case "cancelled":
      return { type: "phase.cancelled" };
    case "input_expired":
      return { type: "run.input_expired" };
    case "cooling":
      return { type: "run.cooling", coolDownMs: ending.coolDownMs };
  }
}

function endOf(phase: PipelinePhase, ending: AttemptEnding): { readonly end?: AttemptEnd } {
  if (ending.attempt === undefined) {
    return {};
  }
  const { attempt, how, evidence, endedAt } = ending;
  const report = "report" in ending ? ending.report : undefined;
  const questions = questionsOf(ending);
  return {
    end: {
      phase,
      attempt,
      state: how === "moved" ? "interrupted" : how,
      ...(endedAt === undefined ? {} : { endedAt }),
      ...("failure" in ending
        ? { failure: ending.failure, findings: ending.failure.findings ?? [] }
        : {}),
      ...(report === undefined ? {} : { changed: report.changed }),
      ...(how === "proposed" ? { proposal: proposalOf(ending.report) } : {}),
      ...(evidence?.usage === undefined ? {} : { usage: evidence.usage }),
      ...(questions === undefined ? {} : { openQuestions: questions }),
    },
  };
}

function proposalOf({ facts, told = {} }: PhaseReport): NonNullable<AttemptEnd["proposal"]> {
  return { facts: { ...facts, tipSha: facts?.tipSha ?? "" }, told };
}

/** A proposed attempt has its row already, but for how it ends. */
function conclusion(phase: PipelinePhase, ending: AttemptEnding): Partial<AttemptCommit> {
  const { attempt, how } = ending;
  if (attempt === undefined || how === "proposed" || how === "interrupted" || how === "moved") {
    return {};
  }
  const failed = "failure" in ending ? { failure: ending.failure } : {};
  return { conclusion: { phase, attempt, state: how, ...failed } };
}

function questionsOf(ending: AttemptEnding): readonly Question[] | undefined {
  return "report" in ending
    ? ending.report.openQuestions
    : "openQuestions" in ending
      ? ending.openQuestions
      : undefined;
}

function stored(ending: AttemptEnding): Partial<AttemptCommit> {
  const { facts, checkpoint } = "report" in ending ? ending.report : {};
  const artifacts = ending.attempt === undefined ? undefined : ending.evidence?.artifacts;
  return {
    // What is only proposed is not the run's yet.
    ...(facts === undefined || ending.how === "proposed" ? {} : { facts }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(artifacts === undefined ? {} : { artifacts }),
  };
}

function eventsOf(phase: Phase, ending: AttemptEnding): readonly NewEvent[] {
  if (ending.attempt === undefined) {
    return ending.how === "input_expired"
      ? [{ type: "run.input_expired", data: { kind: "questions", round: ending.round } }]
      : [];
  }
  const data =
    ending.how === "succeeded" || ending.how === "proposed"
      ? { changed: ending.report.changed, ...ending.report.told }
      : "failure" in ending
        ? { failure: ending.failure }
        : {};
  return [
    ...(isExpired(ending)
      ? [{ type: "run.input_expired", data: { kind: "approval" } } as const]
      : []),
    {
      type: ending.how === "moved" ? "phase.interrupted" : `phase.${ending.how}`,
      phase,
      attempt: ending.attempt,
      data,
    },
  ];
}

/** What the run rests for from now on. */
function restingEvents(
  { settings }: CarryDependencies,
  { run }: Situation,
  phase: Phase,
  ending: AttemptEnding,
  next: RunState,
): readonly NewEvent[] {
  switch (next.kind) {
    case "waiting":
      return next.tierMs === null
        ? []
        : [{ type: "run.waiting", phase, data: { tierMs: next.tierMs } }];
    case "needs_input": {
      const { answerWithinMs } = settings;
      const round = run.questionRound + 1;
      const questions = questionsOf(ending) ?? [];
      const data = { kind: "questions", round, questions, answerWithinMs };
      return [{ type: "run.needs_input", phase, data }];
    }
    case "proposed": {
      const { answerWithinMs } = settings;
      const { file, artifact } = "report" in ending ? (ending.report.told ?? {}) : {};
      const questions = questionsOf(ending) ?? [];
      const data = { kind: "approval", questions, file, artifact, answerWithinMs };
      return [{ type: "run.needs_input", phase, attempt: next.attempt, data }];
    }
    default:
      return [];
  }
}

function outcomeOf(
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
