import type { Hold } from "@speckit/orchestrator";
import type { AttemptRow, RunRow, RunRows } from "@speckit/orchestrator/testing";
import type { Process } from "../world/process.ts";
import { refuse } from "./refuse.ts";

/** Whose statement has changed the rows in this step. */
export interface Statement {
  readonly name: string;
  readonly holds: readonly Hold[];
  readonly process: Omit<Process, "deps">;
}

/** What may change without owning the run, by statement. */
const WITHOUT_HOLD: Readonly<Record<string, readonly (keyof RunRow)[]>> = {
  claimRun: [
    "epoch",
    "leaseOwner",
    "leaseUntil",
    "wakeAt",
    "sweeps",
    "handedOver",
    "idleClaims",
    "parkedFor",
    "startedAt",
    "lastSeq",
  ],
  sweepRuns: ["wakeAt", "sweeps"],
  markEventsSent: ["sentSeq"],
  storeCommand: ["cancelRequestedAt", "wakeAt", "dueAt", "parkedFor", "lastSeq"],
};

/** The longest a row may say that nobody need look: the last retry tier and what comes on top. */
const LONGEST_REST_MS = 1_800_000 + 60_000;
/** A run may rest that long for a limit, which the broker has no queue for: only a look wakes it. */
const LONGEST_COOL_DOWN_MS = 86_400_000;

/** One transaction on one run, judged by its rows before and after. */
export function checkRowChange(
  before: RunRows,
  after: RunRows,
  statement: Statement | undefined,
  nowMs: number,
  attemptsSeen: Set<string>,
): void {
  const what = `run ${after.run.runId}, ${statement?.name ?? "nobody's statement"}`;
  checkRight(before.run, after.run, statement, what);
  checkCourse(before, after, what, nowMs);
  checkPause(after, what);
  checkAttempts(before.attempts, after.attempts, what, attemptsSeen);
  const isTicketUsed = after.attempts.some(
    (row) =>
      row.ticketUsedAt !== null &&
      before.attempts.some((old) => isSame(old, row) && old.ticketUsedAt === null),
  );
  refuse(
    isTicketUsed && (before.run.cancelRequestedAt !== null || before.run.outcome !== null),
    "ticket",
    `${what}: a ticket was used after a cancel, or after the end`,
  );
  const { events } = after;
  refuse(
    events.length < before.events.length ||
      events.some(({ seq }, ix) => seq !== ix + 1) ||
      after.run.lastSeq !== events.length,
    "events-gapless",
    `${what}: ${events.length} events, the last is ${after.run.lastSeq}`,
  );
}

/** Only the owner of the epoch that is in the row may write, but for a few columns. */
function checkRight(
  before: RunRow,
  after: RunRow,
  statement: Statement | undefined,
  what: string,
): void {
  refuse(before.cleanedAt !== null, "closed-is-closed", `${what}: the run was closed`);
  const hold = statement?.holds.find(({ runId }) => runId === after.runId);
  if (hold !== undefined) {
    refuse(
      hold.epoch !== before.epoch,
      "fencing",
      `${what}: written under epoch ${hold.epoch}, the row's is ${before.epoch}`,
    );
    refuse(after.epoch !== before.epoch, "epoch", `${what}: the epoch moved`);
    return;
  }
  const allowed = WITHOUT_HOLD[statement?.name ?? ""] ?? [];
  for (const column of Object.keys(after) as (keyof RunRow)[]) {
    refuse(
      after[column] !== before[column] && !allowed.includes(column),
      "fencing",
      `${what}: ${column} was changed by nobody who owns the run`,
    );
  }
  const grown = after.epoch - before.epoch;
  const isClaim = statement?.name === "claimRun";
  refuse(grown !== 0 && !(grown === 1 && isClaim), "epoch", `${what}: the epoch moved by ${grown}`);
}

function checkCourse(before: RunRows, after: RunRows, what: string, nowMs: number): void {
  const { run: old } = before;
  const { run } = after;
  refuse(
    old.outcome !== null && run.outcome !== old.outcome,
    "outcome-is-final",
    `${what}: ${old.outcome} became ${run.outcome}`,
  );
  refuse(
    old.outcome === null &&
      old.cancelRequestedAt !== null &&
      run.outcome !== null &&
      run.outcome !== "cancelled",
    "cancel-wins",
    `${what}: ended as ${run.outcome} after a cancel`,
  );
  // A run that rests; one whose owner has died was due when that one got it.
  const isClaim = run.epoch > old.epoch && old.leaseOwner === null;
  refuse(
    isClaim && old.outcome === null && old.cancelRequestedAt === null && old.dueAt > nowMs,
    "not-before-due",
    `${what}: claimed ${Math.round(old.dueAt - nowMs)} ms before it is due`,
  );
  const phase = old.pipeline[old.phaseIx];
  const isDone = after.attempts.some((one) => one.phase === phase && one.state === "succeeded");
  refuse(
    run.phaseIx !== old.phaseIx && (run.phaseIx !== old.phaseIx + 1 || !isDone),
    "phase-follows-success",
    `${what}: from phase ${old.phaseIx} to ${run.phaseIx}`,
  );
  refuse(
    isDone && run.outcome === null && run.phaseIx === old.phaseIx,
    "phase-follows-success",
    `${what}: ${phase} has succeeded and the run is still at it`,
  );
  const restMs = (run.wakeAt ?? 0) - nowMs;
  const longestMs = run.parkedFor === "credential" ? LONGEST_COOL_DOWN_MS : LONGEST_REST_MS;
  refuse(
    run.cooledMs < old.cooledMs || run.cooledMs > LONGEST_COOL_DOWN_MS,
    "cool-downs-bounded",
    `${what}: rested ${run.cooledMs} ms for limits, before it was ${old.cooledMs}`,
  );
  refuse(
    run.cleanedAt === null && !(run.wakeAt !== null && restMs <= longestMs),
    "somebody-looks",
    `${what}: the next look is in ${restMs} ms`,
  );
}

/** A phase that the request pauses after has succeeded only with people's approval. */
function checkPause({ run, attempts }: RunRows, what: string): void {
  const unseen = attempts.find(
    ({ phase, state, proposal }) =>
      state === "succeeded" &&
      (run.request.pauseAfter as readonly string[] | undefined)?.includes(phase) &&
      proposal?.decision !== "approved",
  );
  refuse(unseen !== undefined, "approved-first", `${what}: nobody has approved ${unseen?.phase}`);
}

function isSame(a: AttemptRow, b: AttemptRow): boolean {
  return a.phase === b.phase && a.attempt === b.attempt;
}

/** Only people decide about a proposed result, once, and it ends by what they decided. */
function checkProposal(old: AttemptRow | undefined, row: AttemptRow, what: string): void {
  const was = old?.proposal?.decision ?? null;
  const is = row.proposal?.decision ?? null;
  refuse(was !== null && is !== was, "decided-once", `${what} was ${was} and is ${is}`);
  refuse(
    old?.state === "proposed" &&
      !["proposed", "succeeded", "failed", "cancelled"].includes(row.state),
    "decided-once",
    `${what} was proposed and is ${row.state}`,
  );
  refuse(
    row.proposal !== null && row.state === "succeeded" && is !== "approved",
    "approved-first",
    `${what} has succeeded, and nobody has approved it`,
  );
  refuse(
    old?.state === "proposed" && row.state === "failed" && is === "approved",
    "approved-first",
    `${what} has failed, and was approved`,
  );
}

function checkAttempts(
  before: readonly AttemptRow[],
  after: readonly AttemptRow[],
  what: string,
  seen: Set<string>,
): void {
  if (before === after) {
    return;
  }
  const succeeded = new Set<string>();
  let running = 0;
  for (const row of after) {
    const key = `${row.phase} ${row.attempt}`;
    const old = before.find((one) => isSame(one, row));
    refuse(
      old === undefined && seen.has(key),
      "attempts-only-grow",
      `${what}: ${key} was used before`,
    );
    seen.add(key);
    refuse(
      old !== undefined && old.state !== "running" && old.state !== "proposed" && old !== row,
      "ended-attempts-stay",
      `${what}: ${key} was ${old?.state}`,
    );
    checkProposal(old, row, `${what}: ${key}`);
    refuse(
      old !== undefined && old.ticketUsedAt !== null && old.ticketUsedAt !== row.ticketUsedAt,
      "single-ticket",
      `${what}: the ticket of ${key} was used before`,
    );
    running += row.state === "running" ? 1 : 0;
    refuse(
      row.state === "succeeded" && succeeded.has(row.phase),
      "one-success",
      `${what}: ${row.phase} has succeeded twice`,
    );
    if (row.state === "succeeded") {
      succeeded.add(row.phase);
    }
  }
  refuse(running > 1, "one-open-attempt", `${what}: ${running} attempts are open`);
  for (const old of before) {
    refuse(
      !after.some((row) => isSame(row, old)),
      "attempts-only-grow",
      `${what}: ${old.phase} ${old.attempt} is gone`,
    );
  }
}
