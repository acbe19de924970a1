import { type Kysely, sql } from "kysely";
import type { CredentialRepository } from "../../../ports/credential-repository.ts";
import { clockNow, fromNow } from "../run/interval.ts";
import type { Database } from "../schema.ts";
import { inStatement } from "../transaction.ts";

/** Cool-downs in PostgreSQL: one row for each credential that has ever been told to rest. */
export function credentialRepository(database: Kysely<Database>): CredentialRepository {
  return {
    coolDown: (name, forMs, reason) =>
      inStatement(async () => {
        await database
          .insertInto("spec_workflow_credentials")
          .values({ name, cooling_until: fromNow(forMs), reason })
          .onConflict((conflict) =>
            conflict
              .column("name")
              .doUpdateSet((eb) => ({
                cooling_until: eb.ref("excluded.cooling_until"),
                reason: eb.ref("excluded.reason"),
                updated_at: clockNow,
              }))
              // Of two that were told at once the later end holds, in whatever order they come.
              .whereRef(
                "spec_workflow_credentials.cooling_until",
                "<",
                sql.ref("excluded.cooling_until"),
              ),
          )
          .execute();
      }),
    coolingForMs: (name) =>
      inStatement(async () => {
        const row = await database
          .selectFrom("spec_workflow_credentials")
          .select(
            sql<number>`greatest(0, ceil(extract(epoch FROM
              cooling_until - clock_timestamp()) * 1000))::bigint`.as("ms"),
          )
          .where("name", "=", name)
          .executeTakeFirst();
        return row?.ms ?? 0;
      }),
  };
}
