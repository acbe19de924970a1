import fc from "fast-check";
import { decide, type RunEvent } from "../../src/domain/decide.ts";
import { FAILURE_CLASSES } from "../../src/domain/failure.ts";
import { AGENT_PHASES, pipelineFor } from "../../src/domain/phase.ts";
import { newRunState, type RunState } from "../../src/domain/run-state.ts";

const anyCoolDown = fc.record({
  type: fc.constant("run.cooling" as const),
  coolDownMs: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 30_000_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 100_000_000 }) },
  ),
});

/** Events weighted so that a random sequence gets through pipelines and into every corner. */
export const anyEvent: fc.Arbitrary<RunEvent> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ type: "run.claimed" } as const) },
  { weight: 8, arbitrary: fc.constant({ type: "phase.started" } as const) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("phase.succeeded" as const), changed: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("phase.failed" as const),
      failureClass: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom("transient", "timeout", "invalid_output") },
        { weight: 1, arbitrary: fc.constant("needs_input") },
        { weight: 1, arbitrary: fc.constantFrom("rate_limited", "quota") },
        { weight: 1, arbitrary: fc.constantFrom(...FAILURE_CLASSES) },
      ) as fc.Arbitrary<(typeof FAILURE_CLASSES)[number]>,
    }),
  },
  { weight: 3, arbitrary: fc.constant({ type: "phase.interrupted" } as const) },
  { weight: 1, arbitrary: fc.constant({ type: "phase.cancelled" } as const) },
  { weight: 2, arbitrary: fc.constant({ type: "run.answered" } as const) },
  { weight: 3, arbitrary: fc.constant({ type: "phase.proposed" } as const) },
  { weight: 3, arbitrary: fc.constant({ type: "run.approved" } as const) },
  { weight: 2, arbitrary: fc.constant({ type: "run.declined" } as const) },
  { weight: 1, arbitrary: fc.constant({ type: "run.input_expired" } as const) },
  { weight: 2, arbitrary: anyCoolDown },
);

const cancelRequest: RunEvent = { type: "run.cancel_requested" };

/** Phases whose results people look at, and mostly decide about. */
const watchedHistory = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom("run.approved" as const, "run.declined" as const) },
      { weight: 1, arbitrary: fc.constant("run.input_expired" as const) },
    ),
    { maxLength: 30 },
  )
  .chain((decisions) => fc.tuple(fc.constant(decisions), fc.array(anyEvent, { maxLength: 4 })))
  .map(([decisions, surprises]) =>
    decisions.flatMap((decision, ix): RunEvent[] => [
      { type: "run.claimed" },
      { type: "phase.started" },
      { type: "phase.proposed" },
      ...(surprises[ix] === undefined ? [] : [surprises[ix]]),
      { type: decision },
      decision === "run.approved"
        ? { type: "phase.succeeded", changed: true }
        : {
            type: "phase.failed",
            failureClass: decision === "run.declined" ? "needs_input" : "permanent",
          },
    ]),
  );

/** Goes well most of the time, so that a pipeline is carried to its end. */
const smoothHistory = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: anyEvent },
      ),
      { maxLength: 20 },
    ),
  )
  .map(([changed, surprises]) =>
    surprises.flatMap((surprise): RunEvent[] => [
      { type: "run.claimed" },
      { type: "phase.started" },
      surprise ?? { type: "phase.succeeded", changed },
    ]),
  );

/** Most histories have no cancel at all: it would end them early. */
export const anyHistory: fc.Arbitrary<readonly RunEvent[]> = fc.oneof(
  smoothHistory,
  watchedHistory,
  fc.array(anyEvent, { maxLength: 150 }),
  fc
    .tuple(fc.array(anyEvent, { maxLength: 60 }), fc.array(anyEvent, { maxLength: 60 }))
    .map(([before, after]) => [...before, cancelRequest, ...after]),
);

/** A run whose provider asks it to wait again and again, in a phase or before one. */
export const limitedHistory: fc.Arbitrary<readonly RunEvent[]> = fc
  .array(
    fc.tuple(
      fc.constantFrom<readonly RunEvent[]>(
        [],
        [{ type: "phase.started" }, { type: "phase.failed", failureClass: "rate_limited" }],
        [{ type: "phase.started" }, { type: "phase.failed", failureClass: "quota" }],
      ),
      fc.oneof({ weight: 8, arbitrary: anyCoolDown }, { weight: 1, arbitrary: anyEvent }),
    ),
    { maxLength: 25 },
  )
  .map((rounds) =>
    rounds.flatMap(([met, then]): RunEvent[] => [{ type: "run.claimed" }, ...met, then]),
  );

export const anyPipeline = fc.subarray([...AGENT_PHASES]).map((phases) => pipelineFor(phases));

/** One event with the state before it and, where it was accepted, after it. */
export interface Step {
  readonly before: RunState;
  readonly event: RunEvent;
  readonly after: RunState | undefined;
}

/** Folds a history from a new run. Every state is frozen: a decision that writes to its input throws. */
export function stepsOf(
  pipeline: ReturnType<typeof pipelineFor>,
  history: readonly RunEvent[],
): readonly Step[] {
  const steps: Step[] = [];
  let state = deepFreeze(newRunState(pipeline));
  for (const event of history) {
    const decision = deepFreeze(decide(state, deepFreeze(event)));
    steps.push({ before: state, event, after: decision.accepted ? decision.state : undefined });
    state = decision.accepted ? decision.state : state;
  }
  return steps;
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
