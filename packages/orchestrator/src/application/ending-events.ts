import type { Phase } from "../domain/phase.ts";
import type { RunState } from "../domain/run-state.ts";
import type { NewEvent } from "../ports/attempt-commit.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { CarryDependencies, Situation } from "./carry-run.ts";
import { credentialOf } from "./credential-rest.ts";
import { type AttemptEnding, isExpired, questionsOf } from "./ending.ts";

/** How the attempt ended, as its run's events tell it. */
export function eventsOf(phase: Phase, ending: AttemptEnding): readonly NewEvent[] {
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
export function restingEvents(
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

/** The run's credential rests, and the run with it. */
export function coolingEvent(
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
