import { type Kysely, sql, type Transaction } from "kysely";
import { assertNever } from "../../../domain/assert-never.ts";
import type { NewEvent } from "../../../ports/attempt-commit.ts";
import type { CommandRefusal, CommandVerdict, RowCommand } from "../../../ports/run-repository.ts";
import { appendEvents } from "../event/append-events.ts";
import { clockNow } from "../run/interval.ts";
import { isRunId } from "../run/is-run-id.ts";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";
import { answerQuestions } from "./answer-questions.ts";
import { decideProposal } from "./decide-proposal.ts";
import { makeDue } from "./make-due.ts";

/** What a command did to its run (no event: it held already), or why it cannot be. */
export type Effect =
  | { readonly events: readonly NewEvent[] }
  | { readonly because: CommandRefusal };

/**
 * A command is a row and what it changes in its run's, in one transaction under the run's lock: it
 * comes before an outcome or after it, never in between. A wake-up and a hint to the owner follow,
 * and may both be lost: the row says that somebody must look in 5 s.
 *
 * A refused command leaves nothing: sent again later it may be taken.
 */
export async function storeCommand(
  database: Kysely<Database>,
  command: RowCommand,
  bodyHash: string,
): Promise<CommandVerdict> {
  const { runId, commandId } = command;
  if (!isRunId(runId)) {
    return { taken: false, because: "no such run" };
  }
  return inTransaction(database, async (trx) => {
    const run = await trx
      .selectFrom("spec_workflow_runs")
      .select([
        "id",
        "outcome",
        "parked_for",
        "question_round",
        "cancel_requested_at",
        "lease_owner",
      ])
      .where("id", "=", runId)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (run === undefined) {
      return { taken: false, because: "no such run" };
    }
    const stored = await trx
      .insertInto("spec_workflow_commands")
      .values({ id: commandId, run_id: runId, command: command.command, body_hash: bodyHash })
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .executeTakeFirst();
    if (stored === undefined) {
      return (await isKnown(trx, commandId, bodyHash))
        ? { taken: true, isNew: false }
        : { taken: false, because: "another command has this id" };
    }
    const effect: Effect =
      run.outcome === null ? await effectOf(trx, command, run) : { because: "the run has ended" };
    if ("because" in effect) {
      await trx.deleteFrom("spec_workflow_commands").where("id", "=", commandId).execute();
      return { taken: false, because: effect.because };
    }
    await appendEvents(trx, runId, effect.events);
    return { taken: true, isNew: effect.events.length > 0 };
  });
}

async function isKnown(
  trx: Transaction<Database>,
  commandId: string,
  bodyHash: string,
): Promise<boolean> {
  const row = await trx
    .selectFrom("spec_workflow_commands")
    .select("body_hash")
    .where("id", "=", commandId)
    .executeTakeFirst();
  return row?.body_hash === bodyHash;
}

async function effectOf(
  trx: Transaction<Database>,
  command: RowCommand,
  run: {
    readonly parked_for: string | null;
    readonly question_round: number;
    readonly cancel_requested_at: Date | null;
    readonly lease_owner: number | null;
  },
): Promise<Effect> {
  const { runId, commandId } = command;
  // A run that is to be cancelled starts no phase again, and an owner of one that asks is there to
  // end it: the time is over, or it would not have been claimed.
  const asks =
    run.parked_for === "input" && run.cancel_requested_at === null && run.lease_owner === null;
  switch (command.command) {
    case "cancel":
      await trx
        .updateTable("spec_workflow_runs")
        .set((eb) => ({
          cancel_requested_at: eb.fn.coalesce("cancel_requested_at", clockNow),
          wake_at: soon,
        }))
        .where("id", "=", runId)
        .execute();
      // Asked once, the run ends with the attempt that is open: a second event would come after its end.
      return {
        events:
          run.cancel_requested_at === null
            ? [{ type: "run.cancel_requested", data: { commandId } }]
            : [],
      };
    case "answer":
      return given(
        trx,
        runId,
        await answerQuestions(trx, command, { asks, round: run.question_round }),
      );
    case "approve":
    case "reject":
      return given(trx, runId, await decideProposal(trx, command, { asks }));
    case "resume":
      await resume(trx, runId);
      return { events: [{ type: "run.resumed", data: { commandId } }] };
    default:
      return assertNever(command);
  }
}

/** What was asked for is there, unless it was before. */
async function given(trx: Transaction<Database>, runId: string, effect: Effect): Promise<Effect> {
  if ("events" in effect && effect.events.length > 0) {
    await makeDue(trx, runId);
  }
  return effect;
}

/**
 * A run that has asked stays due when its time is over: looking earlier gives no answer. One that
 * waits for a credential is due when that may be used, which may be sooner than it was told; one behind
 * a fence is not due any sooner.
 */
async function resume(trx: Transaction<Database>, runId: string): Promise<void> {
  const dueAt = sql<Date>`CASE parked_for
    WHEN 'input' THEN due_at
    WHEN 'fence' THEN due_at
    WHEN 'credential' THEN least(due_at, greatest(clock_timestamp(), (
      SELECT cooling_until FROM spec_workflow_credentials AS known
      WHERE known.name = spec_workflow_runs.credential)))
    ELSE least(due_at, clock_timestamp()) END`;
  await trx
    .updateTable("spec_workflow_runs")
    .set({
      due_at: dueAt,
      wake_at: sql<Date>`CASE parked_for
        WHEN 'fence' THEN wake_at
        WHEN 'credential' THEN least(wake_at, greatest(${soon}, ${dueAt})) ELSE ${soon} END`,
    })
    .where("id", "=", runId)
    .execute();
}

const soon = sql<Date>`least(wake_at, clock_timestamp() + interval '5 seconds')`;
