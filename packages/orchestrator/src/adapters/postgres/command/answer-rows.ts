import type { AnsweredRound } from "../../../ports/run-record.ts";
import type { Queryable } from "../transaction.ts";

/** What people answered, in order of the rounds. */
export async function answersOf(
  database: Queryable,
  runId: string,
): Promise<readonly AnsweredRound[]> {
  const rows = await database
    .selectFrom("spec_workflow_answers")
    .select(["round", "answers"])
    .where("run_id", "=", runId)
    .orderBy("round")
    .execute();
  return rows.map(({ round, answers }) => ({
    round,
    answers: answers as AnsweredRound["answers"],
  }));
}
