import { canonicalJson } from "../../../domain/canonical-json.ts";
import type { NewEvent } from "../../../ports/attempt-commit.ts";
import type { CommandRefusal, CommandVerdict, RowCommand } from "../../../ports/run-repository.ts";
import type { Draft, MemoryDatabase } from "./memory-database.ts";
import { inOrder, type RunRow, stored } from "./rows.ts";
import { AFTER_COMMAND_MS, isRunId } from "./times.ts";

/** What a command did to its run (no event: it held already), or why it cannot be. */
type Effect = { readonly events: readonly NewEvent[] } | { readonly because: CommandRefusal };

export function storeCommand(
  database: MemoryDatabase,
  command: RowCommand,
  bodyHash: string,
): CommandVerdict {
  const { runId, commandId } = command;
  const run = isRunId(runId) ? database.rowsOf(runId)?.run : undefined;
  if (run === undefined) {
    return { taken: false, because: "no such run" };
  }
  const known = database.commands.get(commandId);
  if (known !== undefined) {
    return known.bodyHash === bodyHash
      ? { taken: true, isNew: false }
      : { taken: false, because: "another command has this id" };
  }
  if (run.outcome !== null) {
    return { taken: false, because: "the run has ended" };
  }
  const effect = database.change(runId, (draft) => {
    const done = effectOf(
      database.now(),
      draft,
      command,
      (name) => database.credentials.get(name)?.untilMs ?? 0,
    );
    draft.newEvents.push(...("events" in done ? done.events : []));
    return done;
  });
  if ("because" in effect) {
    return { taken: false, because: effect.because };
  }
  database.commands.set(commandId, { runId, bodyHash });
  return { taken: true, isNew: effect.events.length > 0 };
}

function effectOf(
  nowMs: number,
  draft: Draft,
  command: RowCommand,
  restsUntil: (credential: string) => number,
): Effect {
  const { commandId } = command;
  const { run } = draft;
  const soon = Math.min(run.wakeAt ?? nowMs, nowMs + AFTER_COMMAND_MS);
  switch (command.command) {
    case "cancel":
      draft.run = { ...run, cancelRequestedAt: run.cancelRequestedAt ?? nowMs, wakeAt: soon };
      return {
        events:
          run.cancelRequestedAt === null
            ? [{ type: "run.cancel_requested", data: { commandId } }]
            : [],
      };
    case "answer":
      return given(nowMs, draft, answer(draft, command));
    case "approve":
    case "reject":
      return given(nowMs, draft, decide(draft, command));
    case "resume":
      draft.run = { ...run, ...resumed(nowMs, run, restsUntil) };
      return { events: [{ type: "run.resumed", data: { commandId } }] };
  }
}

/** A run that has asked stays due when its time is over; one that waits for a credential, or behind a fence, waits for that. */
function resumed(
  nowMs: number,
  run: RunRow,
  restsUntil: (credential: string) => number,
): Pick<RunRow, "dueAt" | "wakeAt"> {
  const soon = Math.min(run.wakeAt ?? nowMs, nowMs + AFTER_COMMAND_MS);
  switch (run.parkedFor) {
    case "input":
      return { dueAt: run.dueAt, wakeAt: soon };
    case "credential": {
      const restedAt = run.credential === null ? nowMs : restsUntil(run.credential);
      const dueAt = Math.min(run.dueAt, Math.max(nowMs, restedAt));
      return { dueAt, wakeAt: Math.min(run.wakeAt ?? nowMs, Math.max(soon, dueAt)) };
    }
    case "fence":
      return { dueAt: run.dueAt, wakeAt: run.wakeAt ?? run.dueAt };
    case null:
      return { dueAt: Math.min(run.dueAt, nowMs), wakeAt: soon };
  }
}

/** What was asked for is there, unless it was before: the run is due. */
function given(nowMs: number, draft: Draft, effect: Effect): Effect {
  if ("events" in effect && effect.events.length > 0) {
    const wakeAt = nowMs + AFTER_COMMAND_MS;
    draft.run = { ...draft.run, parkedFor: null, dueAt: nowMs, wakeAt };
  }
  return effect;
}

/** Who is asked for something still; an owner of a run that asks is there to end it. */
function isAsked({ run }: Draft): boolean {
  return run.parkedFor === "input" && run.cancelRequestedAt === null && run.leaseOwner === null;
}

function decide(
  draft: Draft,
  command: Extract<RowCommand, { readonly command: "approve" | "reject" }>,
): Effect {
  const decision = command.command === "approve" ? "approved" : "rejected";
  const comment = command.command === "reject" ? stored(command.comment) : null;
  const newest = inOrder(draft.attempts).findLast((row) => row.proposal !== null);
  const isMeant =
    newest !== undefined &&
    (command.phase ?? newest.phase) === newest.phase &&
    (command.attempt ?? newest.attempt) === newest.attempt;
  const isOpen = isAsked(draft) && newest?.proposal?.decision === null;
  if (!isMeant || !isOpen || newest.proposal === null) {
    const isSame = newest?.proposal?.decision === decision && newest.proposal.comment === comment;
    return isMeant && isSame
      ? { events: [] }
      : { because: isOpen ? "another result waits for approval" : "nothing waits for approval" };
  }
  const proposal = { ...newest.proposal, decision, comment } as const;
  draft.attempts = draft.attempts.map((row) => (row === newest ? { ...row, proposal } : row));
  const about = { commandId: command.commandId, phase: newest.phase, attempt: newest.attempt };
  return {
    events: [
      command.command === "approve"
        ? { type: "run.approved", data: about }
        : { type: "run.declined", data: { ...about, comment: command.comment } },
    ],
  };
}

function answer(
  draft: Draft,
  command: Extract<RowCommand, { readonly command: "answer" }>,
): Effect {
  const { run } = draft;
  const newest = draft.attempts.toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))[0];
  // A run whose result waits for approval asks nothing.
  const asks = isAsked(draft) && newest?.state === "failed";
  const round = command.round ?? run.questionRound;
  if (!asks || round !== run.questionRound) {
    const there = draft.answers.find((one) => one.round === round);
    return canonicalJson(there?.answers ?? null) === canonicalJson(command.answers)
      ? { events: [] }
      : { because: asks ? "another round is asked" : "nothing is asked" };
  }
  if (command.answers.length > newest.openQuestions.length) {
    return { because: "more answers than questions" };
  }
  draft.answers = [...draft.answers, { round, answers: stored(command.answers) }];
  return { events: [{ type: "run.answered", data: { commandId: command.commandId, round } }] };
}
