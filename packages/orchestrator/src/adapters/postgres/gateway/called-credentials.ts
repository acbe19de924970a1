import { type Kysely, sql } from "kysely";
import type { CredentialRepository } from "../../../ports/credential-repository.ts";
import type { Database } from "../schema.ts";
import { inStatement } from "../transaction.ts";

/** Cool-downs for a role that may read no table. One is at most a day long. */
export function calledCredentials(database: Kysely<Database>): CredentialRepository {
  return {
    coolDown: (name, forMs, reason) =>
      inStatement(async () => {
        await sql`SELECT spec_workflow_gateway_cool_down(
          ${name}, ${forMs}::float8, ${reason})`.execute(database);
      }),
    coolingForMs: (name) =>
      inStatement(async () => {
        const { rows } = await sql<{ ms: number }>`
          SELECT spec_workflow_gateway_cooling_for(${name}) AS ms`.execute(database);
        return rows[0]?.ms ?? 0;
      }),
  };
}
