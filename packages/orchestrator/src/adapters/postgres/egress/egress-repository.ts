import type { Kysely } from "kysely";
import type { EgressEntry, EgressRepository } from "../../../ports/egress.ts";
import { isRunId } from "../run/is-run-id.ts";
import type { Database } from "../schema.ts";
import { inStatement } from "../transaction.ts";

/** What attempts have reached, as gateways have recorded it, for whoever supervises them. */
export function egressRepository(database: Kysely<Database>): EgressRepository {
  return {
    egressOf: ({ runId, phase, attempt }) =>
      inStatement(async () => {
        if (!isRunId(runId)) {
          return [];
        }
        const rows = await database
          .selectFrom("spec_workflow_egress")
          .where("run_id", "=", runId)
          .where("phase", "=", phase)
          .where("attempt", "=", attempt)
          .groupBy(["host", "port", "outcome"])
          .select(["host", "port", "outcome"])
          .select(({ fn }) => [
            fn.sum<string>("requests").as("requests"),
            fn.sum<string>("bytes_up").as("bytesUp"),
            fn.sum<string>("bytes_down").as("bytesDown"),
            fn.sum<string>("open").as("open"),
          ])
          .orderBy("host")
          .orderBy("port")
          .orderBy("outcome")
          .execute();
        return rows.map((row) => ({
          host: row.host,
          port: row.port,
          outcome: row.outcome as EgressEntry["outcome"],
          requests: Number(row.requests),
          bytesUp: Number(row.bytesUp),
          bytesDown: Number(row.bytesDown),
          open: Number(row.open),
        }));
      }),
  };
}
