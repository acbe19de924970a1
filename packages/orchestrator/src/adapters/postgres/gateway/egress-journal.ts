import { type Kysely, sql } from "kysely";
import type { EgressJournal } from "../../../ports/egress.ts";
import { jsonText } from "../json-text.ts";
import type { Database } from "../schema.ts";
import { inStatement } from "../transaction.ts";

/** Tells the function of migration 0007, for a role that may write no table. */
export function egressJournal(database: Kysely<Database>): EgressJournal {
  return {
    recordEgress: ({ runId, phase, attempt }, source, entries) =>
      inStatement(async () => {
        await sql`SELECT spec_workflow_gateway_record_egress(${runId}::uuid, ${phase},
          ${attempt}::integer, ${source}::uuid, ${jsonText(entries)}::jsonb)`.execute(database);
      }),
  };
}
