import {
  decide,
  type FailureClass,
  newRunState,
  PHASES,
  type PipelinePhase,
  type RunEvent,
  type RunState,
} from "@speckit/orchestrator";
import { EVENT_DATA, type RunEventType } from "@speckit/orchestrator/contract";
import pg from "pg";

interface RunRow {
  readonly id: string;
  readonly pipeline: PipelinePhase[];
  readonly outcome: string;
  readonly last_seq: string;
  readonly sent_seq: string;
  readonly epoch: string;
}

interface TaskRow {
  readonly phase: string;
  readonly attempt: number;
  readonly state: string;
}

interface EventRow {
  readonly seq: string;
  readonly type: RunEventType;
  readonly phase: string | null;
  readonly attempt: number | null;
  readonly data: {
    readonly epoch?: number;
    readonly changed?: boolean;
    readonly phaseIx?: number;
    readonly coolDownMs?: number;
    readonly failure?: { readonly class: FailureClass };
  };
}

/**
 * Looks at every closed run of a database as somebody who trusts nothing but its rows: each phase
 * has a terminal row and the event that tells it, the events have no gap, were all sent and hold
 * the data they promise, each epoch was claimed once and in turn, and replaying them through `decide` ends where the run's row says.
 *
 * @param fencedByHand the test has raised epochs itself, to fence a worker: claims are not counted
 * @returns what does not hold, one line each; empty when all is well
 */
export async function checkRuns(
  databaseUrl: string,
  { fencedByHand = false }: { readonly fencedByHand?: boolean } = {},
): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const runs = await client.query<RunRow>(
      "SELECT id, pipeline, outcome, last_seq, sent_seq, epoch FROM spec_workflow_runs WHERE cleaned_at IS NOT NULL",
    );
    const problems: string[] = [];
    for (const run of runs.rows) {
      const tasks = await client.query<TaskRow>(
        "SELECT phase, attempt, state FROM spec_workflow_task_states WHERE run_id = $1",
        [run.id],
      );
      const events = await client.query<EventRow>(
        "SELECT seq, type, phase, attempt, data FROM spec_workflow_events WHERE run_id = $1 ORDER BY seq",
        [run.id],
      );
      const found = [
        ...checkPhases(tasks.rows, events.rows),
        ...checkSequence(run, events.rows),
        ...(fencedByHand ? [] : checkClaims(run, events.rows)),
        ...checkData(run, events.rows),
        ...checkReplay(run, events.rows),
      ];
      problems.push(...found.map((problem) => `run ${run.id}: ${problem}`));
    }
    return problems;
  } finally {
    await client.end();
  }
}

function checkPhases(tasks: readonly TaskRow[], events: readonly EventRow[]): readonly string[] {
  const problems: string[] = [];
  for (const phase of PHASES) {
    if (!tasks.some((task) => task.phase === phase)) {
      problems.push(`${phase} has no row`);
    }
  }
  for (const { phase, attempt, state } of tasks) {
    if (state === "running") {
      problems.push(`${phase} ${attempt} is still running`);
    }
    const wanted = attempt === 0 ? [`phase.${state}`] : ["phase.started", `phase.${state}`];
    for (const type of wanted) {
      const told = events.filter(
        (event) => event.type === type && event.phase === phase && event.attempt === attempt,
      );
      if (told.length !== 1) {
        problems.push(`${phase} ${attempt} is ${state}, and has ${told.length} events ${type}`);
      }
    }
  }
  return problems;
}

function checkSequence(run: RunRow, events: readonly EventRow[]): readonly string[] {
  const problems: string[] = [];
  events.forEach((event, ix) => {
    if (Number(event.seq) !== ix + 1) {
      problems.push(`event ${ix + 1} has the number ${event.seq}`);
    }
  });
  if (Number(run.last_seq) !== events.length || run.sent_seq !== run.last_seq) {
    problems.push(`${events.length} events, last ${run.last_seq}, sent ${run.sent_seq}`);
  }
  const ends = events.filter((event) => event.type === `run.${run.outcome}`);
  if (ends.length !== 1) {
    problems.push(`${ends.length} events run.${run.outcome}`);
  }
  return problems;
}

/** Every claim raises the epoch by one and is told: no two workers ever had the same. */
function checkClaims(run: RunRow, events: readonly EventRow[]): readonly string[] {
  const epochs = events.flatMap(({ type, data }) =>
    type === "run.started" || type === "run.claimed" ? [data.epoch] : [],
  );
  const inTurn = epochs.every((epoch, ix) => epoch === ix + 1);
  return inTurn && epochs.length === Number(run.epoch)
    ? []
    : [`claimed with the epochs [${epochs}], its row says ${run.epoch}`];
}

function checkData(run: RunRow, events: readonly EventRow[]): readonly string[] {
  return events.flatMap(({ seq, type, phase, attempt, data }) => {
    const told = { runId: run.id, seq: Number(seq), ...data };
    const parsed = EVENT_DATA[type].safeParse({
      ...told,
      ...(phase === null ? {} : { phase }),
      ...(attempt === null ? {} : { attempt }),
    });
    return parsed.success ? [] : [`event ${seq} ${type}: ${parsed.error.message}`];
  });
}

function checkReplay(run: RunRow, events: readonly EventRow[]): readonly string[] {
  const { phaseIx = 0, changed = false } = events[0]?.data ?? {};
  let state: RunState = newRunState(run.pipeline, { phaseIx, changed });
  for (const row of events) {
    const event = domainEvent(row);
    if (event === undefined || isOvertaken(row.type, state)) {
      continue;
    }
    const decision = decide(state, event);
    if (!decision.accepted) {
      return [`event ${row.seq} ${row.type} cannot be: ${decision.why}`];
    }
    state = decision.state;
  }
  const ended = state.kind === "ended" && state.outcome === run.outcome && state.cleanup === "done";
  return ended ? [] : [`replayed to ${JSON.stringify(state)}, its row says ${run.outcome}`];
}

/**
 * A cancel between two attempts ends the run without ending an attempt; and an owner that has not
 * heard of one lets a run rest that it has ended already.
 */
function isOvertaken(type: RunEventType, state: RunState): boolean {
  return (
    state.kind === "ended" &&
    (type === "run.cancelled" || (type === "run.cooling" && state.outcome === "cancelled"))
  );
}

/** The event a row tells `decide`; undefined for those that move nothing. */
function domainEvent({ type, attempt, data }: EventRow): RunEvent | undefined {
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
      return { type };
    case "run.cooling":
      return { type, coolDownMs: data.coolDownMs ?? 0 };
    case "phase.succeeded":
      return { type, changed: data.changed === true };
    case "phase.failed":
      return { type, failureClass: data.failure?.class ?? "transient" };
    case "phase.interrupted":
      return { type };
    case "phase.cancelled":
      // A phase that never started is told after the run has ended.
      return attempt === 0 ? undefined : { type };
    case "run.cancelled":
      return { type: "phase.cancelled" };
    default:
      return undefined;
  }
}
