import { assertNever } from "./assert-never.ts";
import { MAX_COOLED_MS } from "./cool-down.ts";
import type { FailureClass } from "./failure.ts";
import { judgeRetry } from "./retry-policy.ts";
import type { Approval, AttemptFact, LiveState, Outcome, RunState } from "./run-state.ts";

/** What can happen to a run. Every event of the event table that moves a run is one of these. */
export type RunEvent =
  | { readonly type: "run.claimed" }
  | { readonly type: "run.cancel_requested" }
  | { readonly type: "run.answered" }
  | { readonly type: "run.approved" }
  | { readonly type: "run.declined" }
  | { readonly type: "run.input_expired" }
  /** The credential its agent uses rests for so long: after an attempt that met a limit, or before one. */
  | { readonly type: "run.cooling"; readonly coolDownMs: number }
  | { readonly type: "phase.started" }
  | { readonly type: "phase.proposed" }
  | { readonly type: "phase.succeeded"; readonly changed: boolean }
  | { readonly type: "phase.failed"; readonly failureClass: FailureClass }
  | { readonly type: "phase.interrupted" }
  /** The same, and its engine is lost: nothing starts before what may still run there is over. */
  | { readonly type: "phase.moved" }
  | { readonly type: "phase.cancelled" };

export type Refusal =
  | "the run has ended"
  | "the run was not claimed yet"
  | "a phase is running"
  | "no phase is running"
  | "the run waits"
  | "the run needs input"
  | "the run needs no input"
  | "nothing waits for approval"
  | "something else was decided"
  | "the run must cool down"
  | "no cancel was requested";

export type Decision =
  | { readonly accepted: true; readonly state: RunState }
  | { readonly accepted: false; readonly why: Refusal };

/**
 * The state after an event, or why the event cannot be. Pure and total: the same state and event
 * always give the same decision; it never throws and reads no clock.
 *
 * A cancel that was asked for before the end wins over every other outcome: it ends the run with
 * the attempt that is open, whatever that came to.
 */
export function decide(state: RunState, event: RunEvent): Decision {
  if (state.kind === "ended") {
    return duringCleanup(state, event);
  }
  switch (event.type) {
    case "run.claimed":
      // A running phase stays so: whoever claims after a crash first records what became of it.
      // Questions stay open, and a proposed result stays so: only people's word moves them on.
      return accept(
        state.kind === "running" || state.kind === "needs_input" || state.kind === "proposed"
          ? state
          : { ...live(state), kind: "ready" },
      );
    case "run.cancel_requested":
      return accept({ ...state, cancelRequested: true });
    case "run.answered":
      return state.kind === "needs_input"
        ? accept({ ...live(state), kind: "ready" })
        : refuse("the run needs no input");
    case "run.approved":
      return decided(state, "approved");
    case "run.declined":
      return decided(state, "rejected");
    case "run.input_expired":
      if (state.kind === "proposed") {
        return decided(state, "expired");
      }
      return state.kind === "needs_input"
        ? accept(end(state.cancelRequested ? "cancelled" : "failed"))
        : refuse("the run needs no input");
    case "run.cooling":
      return state.kind === "ready" || state.kind === "limited"
        ? coolDown(state, event.coolDownMs)
        : refuse(REFUSES_START[state.kind]);
    case "phase.started":
      if (state.kind === "ready") {
        return accept({ ...live(state), kind: "running", attempt: state.earlier.length + 1 });
      }
      return refuse(REFUSES_START[state.kind]);
    case "phase.cancelled":
      return state.cancelRequested ? accept(end("cancelled")) : refuse("no cancel was requested");
    case "phase.proposed":
      // Also when a cancel was requested: the attempt is concluded by whoever ends the run.
      return state.kind === "running"
        ? accept({ ...live(state), kind: "proposed", attempt: state.attempt, decision: "none" })
        : refuse("no phase is running");
    case "phase.succeeded":
    case "phase.failed":
    case "phase.interrupted":
    case "phase.moved":
      if (state.kind === "proposed") {
        return conclude(state, event);
      }
      return state.kind === "running" ? afterAttempt(state, event) : refuse("no phase is running");
    default:
      return assertNever(event);
  }
}

const REFUSES_START = {
  queued: "the run was not claimed yet",
  running: "a phase is running",
  waiting: "the run waits",
  needs_input: "the run needs input",
  proposed: "the run needs input",
  limited: "the run must cool down",
} as const satisfies Record<Exclude<LiveState["kind"], "ready">, Refusal>;

type AttemptEnd = Extract<
  RunEvent,
  { readonly type: "phase.succeeded" | "phase.failed" | "phase.interrupted" | "phase.moved" }
>;

type Proposed = Extract<LiveState, { readonly kind: "proposed" }>;

function decided(state: LiveState, decision: Approval): Decision {
  return state.kind === "proposed" && state.decision === "none"
    ? accept({ ...state, decision })
    : refuse("nothing waits for approval");
}

/** A proposed attempt ends by what was decided about it, and by nothing else. */
function conclude(state: Proposed, event: AttemptEnd): Decision {
  if (state.decision === "none") {
    return refuse("the run needs input");
  }
  const wanted = state.decision === "approved" ? "phase.succeeded" : "phase.failed";
  return event.type === wanted ? afterAttempt(state, event) : refuse("something else was decided");
}

function afterAttempt(state: LiveState, event: AttemptEnd): Decision {
  if (state.cancelRequested) {
    return accept(end("cancelled"));
  }
  if (event.type === "phase.succeeded") {
    const changed = state.changed || event.changed;
    const phaseIx = state.phaseIx + 1;
    if (phaseIx === state.pipeline.length) {
      return accept(end(changed ? "succeeded" : "no_changes"));
    }
    return accept({ ...live(state), kind: "ready", phaseIx, earlier: [], changed });
  }
  const failureClass = event.type === "phase.failed" ? event.failureClass : "interrupted";
  const verdict = judgeRetry(state.pipeline[state.phaseIx], state.earlier, failureClass);
  if (verdict.retry === "never") {
    return accept(end("failed"));
  }
  const ended: AttemptFact = {
    state: event.type === "phase.failed" ? "failed" : "interrupted",
    failureClass,
  };
  const earlier = [...state.earlier, ended];
  switch (verdict.retry) {
    case "now":
      return accept(
        event.type === "phase.moved"
          ? { ...live(state), kind: "waiting", tierMs: null, earlier }
          : { ...live(state), kind: "ready", earlier },
      );
    case "after_input":
      // Of a rejected result the input is there: the phase starts again with it.
      return accept({
        ...live(state),
        kind: state.kind === "proposed" ? "ready" : "needs_input",
        earlier,
      });
    case "after_cool_down":
      return accept({ ...live(state), kind: "limited", earlier });
    case "later":
      return accept({ ...live(state), kind: "waiting", tierMs: verdict.tierMs, earlier });
    default:
      return assertNever(verdict);
  }
}

/** A run that would rest for too long ends now: nobody is served by a wait that ends in failure. */
function coolDown(state: LiveState, coolDownMs: number): Decision {
  const cooledMs = state.cooledMs + coolDownMs;
  return cooledMs > MAX_COOLED_MS
    ? accept(end(state.cancelRequested ? "cancelled" : "failed"))
    : accept({ ...live(state), kind: "waiting", tierMs: null, cooledMs });
}

function duringCleanup(state: Extract<RunState, { kind: "ended" }>, event: RunEvent): Decision {
  switch (event.type) {
    case "run.claimed":
      // Also when cleanup is done: an owner may die between its last event and the run's closing.
      return accept(state);
    case "phase.started":
      return state.cleanup === "due"
        ? accept({ ...state, cleanup: "running", cleanupStarts: state.cleanupStarts + 1 })
        : refuse(state.cleanup === "done" ? "the run has ended" : "a phase is running");
    case "phase.succeeded":
      return state.cleanup === "running"
        ? accept({ ...state, cleanup: "done" })
        : refuse("no phase is running");
    case "phase.failed":
    case "phase.interrupted":
    case "phase.moved":
      return state.cleanup === "running"
        ? accept({ ...state, cleanup: "due" })
        : refuse("no phase is running");
    default:
      return refuse("the run has ended");
  }
}

function live(state: LiveState): Omit<LiveState, "kind" | "attempt" | "tierMs" | "decision"> {
  const { pipeline, phaseIx, earlier, cancelRequested, changed, cooledMs } = state;
  return { pipeline, phaseIx, earlier, cancelRequested, changed, cooledMs };
}

function end(outcome: Outcome): RunState {
  return { kind: "ended", outcome, cleanup: "due", cleanupStarts: 0 };
}

function accept(state: RunState): Decision {
  return { accepted: true, state };
}

function refuse(why: Refusal): Decision {
  return { accepted: false, why };
}
