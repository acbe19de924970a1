import type { EventRecord } from "@speckit/orchestrator";
import {
  decide,
  type FailureClass,
  newRunState,
  type RunEvent,
  type RunState,
} from "@speckit/orchestrator";
import type { RunRows } from "@speckit/orchestrator/testing";
import { refuse } from "./refuse.ts";

/** A run's state as its events tell it. */
export interface Replayed {
  state: RunState;
  seq: number;
}

export function replayed({ run, events }: RunRows): Replayed {
  const { phaseIx = 0, changed = false } = (events[0]?.data ?? {}) as {
    readonly phaseIx?: number;
    readonly changed?: boolean;
  };
  return { state: newRunState(run.pipeline, { phaseIx, changed }), seq: 0 };
}

/** Replays what is new through `decide`, and compares where that leads with the rows. */
export function replayEvents(replay: Replayed, rows: RunRows): void {
  const what = `run ${rows.run.runId}`;
  for (const row of rows.events.slice(replay.seq)) {
    replay.seq = row.seq;
    const event = domainEvent(row);
    if (event === undefined || isOvertaken(row.type, replay.state)) {
      continue;
    }
    const decision = decide(replay.state, event);
    if (!decision.accepted) {
      refuse(true, "replay", `${what}: event ${row.seq} ${row.type} cannot be: ${decision.why}`);
      return;
    }
    replay.state = decision.state;
  }
  compare(replay.state, rows, what);
}

/** A cancel has ended the run at an attempt's end, and its owner has not heard of it yet. */
function isOvertaken(type: EventRecord["type"], state: RunState): boolean {
  return (
    state.kind === "ended" &&
    (type === "run.cancelled" || (type === "run.cooling" && state.outcome === "cancelled"))
  );
}

function compare(state: RunState, { run, attempts }: RunRows, what: string): void {
  if (state.kind === "ended") {
    // An owner that has not heard of a cancel commits what it has; the next look ends the run.
    const isToBeCancelled =
      state.outcome === "cancelled" && run.outcome === null && run.cancelRequestedAt !== null;
    refuse(
      state.outcome !== run.outcome && !isToBeCancelled,
      "replay",
      `${what}: told ${state.outcome}, stored ${run.outcome}`,
    );
    return;
  }
  refuse(run.outcome !== null, "replay", `${what}: ${run.outcome} and not told`);
  const here = attempts.filter(({ phase }) => phase === run.pipeline[run.phaseIx]);
  const running = here.find((row) => row.state === "running");
  const proposed = here.find((row) => row.state === "proposed");
  const isOpen = state.kind === "proposed" && state.decision === "none";
  const told = {
    phaseIx: state.phaseIx,
    running: state.kind === "running" ? state.attempt : undefined,
    proposed: state.kind === "proposed" ? state.attempt : undefined,
    ended: state.earlier.length,
    asks: state.kind === "needs_input" || isOpen,
    cooledMs: state.cooledMs,
    cancel: state.cancelRequested,
  };
  const stored = {
    phaseIx: run.phaseIx,
    running: running?.attempt,
    proposed: proposed?.attempt,
    ended: here.filter((row) => row !== running && row !== proposed).length,
    asks: run.parkedFor === "input",
    cooledMs: run.cooledMs,
    cancel: run.cancelRequestedAt !== null,
  };
  const isSame = (Object.keys(told) as (keyof typeof told)[]).every(
    (name) => told[name] === stored[name],
  );
  refuse(
    !isSame,
    "replay",
    `${what}: told ${JSON.stringify(told)}, stored ${JSON.stringify(stored)}`,
  );
}

/** The event a row tells `decide`; undefined for those that move nothing. */
function domainEvent({ type, attempt, data }: EventRecord): RunEvent | undefined {
  switch (type) {
    case "run.started":
    case "run.claimed":
      return { type: "run.claimed" };
    case "run.cancel_requested":
    case "run.answered":
    case "run.approved":
    case "run.declined":
    case "run.input_expired":
    case "phase.proposed":
    case "phase.started":
    case "phase.interrupted":
      return { type };
    case "run.cooling":
      return { type, coolDownMs: Number(data.coolDownMs) };
    case "phase.succeeded":
      return { type, changed: data.changed === true };
    case "phase.failed":
      return { type, failureClass: (data.failure as { class: FailureClass }).class };
    case "phase.cancelled":
      // A phase that never started is told after the run has ended.
      return attempt === 0 ? undefined : { type };
    case "run.cancelled":
      return { type: "phase.cancelled" };
    default:
      return undefined;
  }
}
