import { sql, type Transaction } from "kysely";
import type { RowCommand } from "../../../ports/run-repository.ts";
import { jsonText } from "../json-text.ts";
import { clockNow } from "../run/interval.ts";
import type { Database } from "../schema.ts";
import type { Effect } from "./store-command.ts";

/** Closes the open round of questions: the run is due, and its phase starts again with the answers. */
export async function answerQuestions(
  trx: Transaction<Database>,
  command: Extract<RowCommand, { readonly command: "answer" }>,
  open: { readonly asks: boolean; readonly round: number },
): Promise<Effect> {
  const { runId, commandId, answers } = command;
  const round = command.round ?? open.round;
  if (!open.asks || round !== open.round) {
    const isSame = await isAnsweredSo(trx, runId, round, answers);
    return isSame
      ? { events: [] }
      : { because: open.asks ? "another round is asked" : "nothing is asked" };
  }
  const asked = await trx
    .selectFrom("spec_workflow_task_states")
    .select(sql<number>`jsonb_array_length(open_questions)`.as("questions"))
    .where("run_id", "=", runId)
    .where("state", "=", "failed")
    .orderBy("ended_at", "desc")
    .limit(1)
    .executeTakeFirst();
  if (answers.length > (asked?.questions ?? 0)) {
    return { because: "more answers than questions" };
  }
  await trx
    .insertInto("spec_workflow_answers")
    .values({ run_id: runId, round, answers: jsonText(answers) })
    .execute();
  await trx
    .updateTable("spec_workflow_runs")
    .set({
      parked_for: null,
      due_at: clockNow,
      wake_at: sql<Date>`clock_timestamp() + interval '5 seconds'`,
    })
    .where("id", "=", runId)
    .execute();
  return { events: [{ type: "run.answered", data: { commandId, round } }] };
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
