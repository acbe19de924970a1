import { canonicalJson } from "../../../domain/canonical-json.ts";
import type {
  CommandRefusal,
  CommandVerdict,
  NewEvent,
  RowCommand,
} from "../../../ports/run-repository.ts";
import type { Draft, MemoryDatabase } from "./memory-database.ts";
import { stored } from "./rows.ts";
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
    const done = effectOf(database.now(), draft, command);
    draft.newEvents.push(...("events" in done ? done.events : []));
    return done;
  });
  if ("because" in effect) {
    return { taken: false, because: effect.because };
  }
  database.commands.set(commandId, { bodyHash });
  return { taken: true, isNew: effect.events.length > 0 };
}

function effectOf(nowMs: number, draft: Draft, command: RowCommand): Effect {
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
      return answer(nowMs, draft, command);
    case "resume": {
      // A run that has asked stays due when its time is over: looking earlier gives no answer.
      const dueAt = run.parkedFor === null ? Math.min(run.dueAt, nowMs) : run.dueAt;
      draft.run = { ...run, dueAt, wakeAt: soon };
      return { events: [{ type: "run.resumed", data: { commandId } }] };
    }
  }
}

function answer(
  nowMs: number,
  draft: Draft,
  command: Extract<RowCommand, { readonly command: "answer" }>,
): Effect {
  const { run } = draft;
  const asks = run.parkedFor === "input" && run.cancelRequestedAt === null;
  const round = command.round ?? run.questionRound;
  if (!asks || round !== run.questionRound) {
    const there = draft.answers.find((one) => one.round === round);
    return canonicalJson(there?.answers ?? null) === canonicalJson(command.answers)
      ? { events: [] }
      : { because: asks ? "another round is asked" : "nothing is asked" };
  }
  const asked = draft.attempts
    .filter((row) => row.state === "failed")
    .toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))[0];
  if (command.answers.length > (asked?.openQuestions.length ?? 0)) {
    return { because: "more answers than questions" };
  }
  draft.answers = [...draft.answers, { round, answers: stored(command.answers) }];
  draft.run = { ...run, parkedFor: null, dueAt: nowMs, wakeAt: nowMs + AFTER_COMMAND_MS };
  return { events: [{ type: "run.answered", data: { commandId: command.commandId, round } }] };
}
