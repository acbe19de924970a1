import { coolDownMs, isLimit } from "../domain/cool-down.ts";
import { decide, type RunEvent } from "../domain/decide.ts";
import type { PipelinePhase } from "../domain/phase.ts";
import { retryWait } from "../domain/retry-policy.ts";
import type { RunState } from "../domain/run-state.ts";
import type { AttemptCommit, AttemptEnd } from "../ports/attempt-commit.ts";
import type { Clock } from "../ports/clock.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { CarryDependencies, Situation } from "./carry-run.ts";
import { commitSurely } from "./commit-surely.ts";
import { credentialOf } from "./credential-rest.ts";
import { type AttemptEnding, isExpired, questionsOf } from "./ending.ts";
import { coolingEvent, eventsOf, restingEvents } from "./ending-events.ts";
import type { PhaseReport } from "./phases/phase-work.ts";
import { outcomeOf } from "./run-outcome.ts";

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
  const phase: PipelinePhase = run.pipeline[run.phaseIx] ?? "pull_request";
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
    ...waitOf(deps, next, run, ending, restMs),
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
  if (restMs !== undefined) {
    deps.metrics?.count("cool_downs", {});
  }
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
  const { class: limit } = ending.failure;
  return isLimit(limit)
    ? coolDownMs(limit, toldMs(clock, ending), before.earlier, clock.random())
    : undefined;
}

/** Until the other side may be asked again, as it has said. */
function toldMs(clock: Clock, ending: AttemptEnding): number | undefined {
  const resetsAt = "failure" in ending ? ending.failure.resetsAt : undefined;
  return resetsAt === undefined ? undefined : Date.parse(resetsAt) - clock.now().getTime();
}

function waitOf(
  deps: CarryDependencies,
  next: RunState,
  run: RunRecord,
  ending: AttemptEnding,
  restMs = 0,
): Pick<AttemptCommit, "wait"> {
  const { clock, settings } = deps;
  switch (next.kind) {
    case "waiting":
      if (ending.how === "moved") {
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
        : { wait: retryWait(next.tierMs, toldMs(clock, ending), clock.random()) };
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
