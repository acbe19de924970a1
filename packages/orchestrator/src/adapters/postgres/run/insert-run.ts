import type { Kysely, Transaction } from "kysely";
import type { InsertRunResult, NewRun } from "../../../ports/run-repository.ts";
import { appendEvents } from "../event/append-events.ts";
import { jsonText } from "../json-text.ts";
import type { Database } from "../schema.ts";
import { inTransaction } from "../transaction.ts";
import { goOnFrom } from "./go-on-from.ts";
import { findRun, findRunByKey } from "./read-run.ts";

/**
 * Stores a run, or tells which one is there already. Idempotent by run id and idempotency key.
 * Two deliveries of one request at the same moment: the second waits at the unique index for the
 * first, then finds its row.
 */
export async function insertRun(database: Kysely<Database>, run: NewRun): Promise<InsertRunResult> {
  // A busy branch may come free between the refused insert and the look for its owner: look again.
  for (let tries = 0; ; tries += 1) {
    const result = await inTransaction(database, (trx) => tryInsert(trx, run));
    if (result !== undefined) {
      return result;
    }
    if (tries === 5) {
      throw new Error(`Run ${run.runId}: the branch's owner changed five times in a row`);
    }
  }
}

async function tryInsert(
  trx: Transaction<Database>,
  run: NewRun,
): Promise<InsertRunResult | undefined> {
  const inserted = await trx
    .insertInto("spec_workflow_runs")
    .values({
      id: run.runId,
      request: jsonText(run.request),
      request_hash: run.requestHash,
      idempotency_key: run.request.idempotencyKey ?? null,
      repository: run.repository,
      git_remote: run.gitRemote,
      branch: run.branch,
      agent: run.agent,
      pipeline: [...run.pipeline],
      reply_to: run.replyTo ?? null,
      correlation_id: run.correlationId ?? null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  if (inserted !== undefined) {
    const { repository, agent, pipeline } = run;
    const goesOn = run.goesOn === undefined ? {} : await goOnFrom(trx, run, run.goesOn);
    const data = { repository, branch: run.branch, agent, pipeline, ...goesOn };
    await appendEvents(trx, run.runId, [{ type: "run.accepted", data }]);
    const stored = await findRun(trx, run.runId);
    if (stored === undefined) {
      throw new Error(`Run ${run.runId} is gone right after its insert`);
    }
    return { inserted: true, run: stored };
  }
  const found = await findRunByKey(trx, {
    runId: run.runId,
    idempotencyKey: run.request.idempotencyKey ?? null,
  });
  if (found !== undefined) {
    const same = found.requestHash === run.requestHash;
    return {
      inserted: false,
      because: same ? "same_request" : "other_request",
      run: found.run,
    };
  }
  const owner = await trx
    .selectFrom("spec_workflow_runs")
    .select("id")
    .where("git_remote", "=", run.gitRemote)
    .where("branch", "=", run.branch)
    .where("outcome", "is", null)
    .executeTakeFirst();
  return owner === undefined
    ? undefined
    : { inserted: false, because: "branch_busy", runId: owner.id };
}
