import { sql, type Transaction } from "kysely";
import type { RowCommand } from "../../../ports/run-repository.ts";
import { jsonText } from "../json-text.ts";
import type { Database } from "../schema.ts";
import type { Effect } from "./store-command.ts";

/** Closes the open round of questions: its phase starts again with the answers. */
export async function answerQuestions(
  trx: Transaction<Database>,
  command: Extract<RowCommand, { readonly command: "answer" }>,
  open: { readonly asks: boolean; readonly round: number },
): Promise<Effect> {
  const { runId, commandId, answers } = command;
  const round = command.round ?? open.round;
  const newest = await newestAttempt(trx, runId);
  // A run whose result waits for approval asks nothing.
  const asks = open.asks && newest?.state === "failed";
  if (!asks || round !== open.round) {
    const isSame = await isAnsweredSo(trx, runId, round, answers);
    return isSame
      ? { events: [] }
      : { because: asks ? "another round is asked" : "nothing is asked" };
  }
  if (answers.length > newest.questions) {
    return { because: "more answers than questions" };
  }
  await trx
    .insertInto("spec_workflow_answers")
    .values({ run_id: runId, round, answers: jsonText(answers) })
    .execute();
  return { events: [{ type: "run.answered", data: { commandId, round } }] };
}

async function newestAttempt(
  trx: Transaction<Database>,
  runId: string,
): Promise<{ readonly state: string; readonly questions: number } | undefined> {
  return trx
    .selectFrom("spec_workflow_task_states")
    .select(["state", sql<number>`jsonb_array_length(open_questions)`.as("questions")])
    .where("run_id", "=", runId)
    .where("ended_at", "is not", null)
    .orderBy("ended_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

async function isAnsweredSo(
  trx: Transaction<Database>,
  runId: string,
  round: number,
  answers: readonly (string | null)[],
): Promise<boolean> {
  const row = await trx
    .selectFrom("spec_workflow_answers")
    .select("round")
    .where("run_id", "=", runId)
    .where("round", "=", round)
    .where(sql<boolean>`answers = ${jsonText(answers)}::jsonb`)
    .executeTakeFirst();
  return row !== undefined;
}
