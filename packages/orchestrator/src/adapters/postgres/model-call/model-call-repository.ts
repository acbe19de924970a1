import type { Kysely } from "kysely";
import type { ModelCallRepository } from "../../../ports/model-call-repository.ts";
import type { ModelCall } from "../../../ports/model-gateway.ts";
import { isRunId } from "../run/is-run-id.ts";
import type { Database } from "../schema.ts";
import { inStatement } from "../transaction.ts";

const MOST_CALLS = 1_000;

/** Calls as a gateway has recorded them, for whoever supervises their attempt. */
export function modelCallRepository(database: Kysely<Database>): ModelCallRepository {
  return {
    callsOf: ({ runId, phase, attempt }, afterId = 0) =>
      inStatement(async () => {
        if (!isRunId(runId)) {
          return { calls: [], lastId: afterId, heardAt: null };
        }
        const task = await database
          .selectFrom("spec_workflow_task_states")
          .select("heard_at")
          .where("run_id", "=", runId)
          .where("phase", "=", phase)
          .where("attempt", "=", attempt)
          .executeTakeFirst();
        const rows = await database
          .selectFrom("spec_workflow_model_calls")
          .select(["id", "call"])
          .where("run_id", "=", runId)
          .where("phase", "=", phase)
          .where("attempt", "=", attempt)
          .where("id", ">", afterId)
          .orderBy("id")
          .limit(MOST_CALLS)
          .execute();
        return {
          calls: rows.map(({ call }) => modelCall(call as StoredCall)),
          lastId: rows.at(-1)?.id ?? afterId,
          heardAt: task?.heard_at ?? null,
        };
      }),
  };
}

/** As JSON has it. */
type StoredCall = Omit<ModelCall, "startedAt"> & { readonly startedAt: string };

function modelCall({ startedAt, ...call }: StoredCall): ModelCall {
  return { startedAt: new Date(startedAt), ...call };
}
