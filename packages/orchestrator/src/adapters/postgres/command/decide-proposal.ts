import { sql, type Transaction } from "kysely";
import type { RowCommand } from "../../../ports/run-repository.ts";
import { clockNow } from "../run/interval.ts";
import type { Database } from "../schema.ts";
import type { Effect } from "./store-command.ts";

/**
 * Notes what people have decided about the result that waits for approval: the run is due, and its
 * next owner concludes the attempt by it. Only the newest result of a run can be meant.
 */
export async function decideProposal(
  trx: Transaction<Database>,
  command: Extract<RowCommand, { readonly command: "approve" | "reject" }>,
  { asks }: { readonly asks: boolean },
): Promise<Effect> {
  const { runId, commandId } = command;
  const decision = command.command === "approve" ? "approved" : "rejected";
  const comment = command.command === "reject" ? command.comment : null;
  const newest = await trx
    .selectFrom("spec_workflow_proposals")
    .select(["phase", "attempt", "decision"])
    .select(
      sql<boolean>`decision = ${decision}
      AND comment IS NOT DISTINCT FROM ${comment}`.as("is_same"),
    )
    .where("run_id", "=", runId)
    .orderBy("created_at", "desc")
    .limit(1)
    .executeTakeFirst();
  const isMeant =
    newest !== undefined &&
    (command.phase ?? newest.phase) === newest.phase &&
    (command.attempt ?? newest.attempt) === newest.attempt;
  const isOpen = asks && newest?.decision === null;
  if (!isMeant || !isOpen) {
    return isMeant && newest.is_same
      ? { events: [] }
      : { because: isOpen ? "another result waits for approval" : "nothing waits for approval" };
  }
  const { phase, attempt } = newest;
  await trx
    .updateTable("spec_workflow_proposals")
    .set({ decision, comment, decided_at: clockNow })
    .where("run_id", "=", runId)
    .where("phase", "=", phase)
    .where("attempt", "=", attempt)
    .execute();
  const about = { commandId, phase, attempt };
  return {
    events: [
      command.command === "approve"
        ? { type: "run.approved", data: about }
        : { type: "run.declined", data: { ...about, comment: command.comment } },
    ],
  };
}
