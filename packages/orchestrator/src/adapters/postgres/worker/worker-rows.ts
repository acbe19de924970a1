import { sql } from "kysely";
import type { Queryable } from "../transaction.ts";

export async function registerWorker(database: Queryable, hostname: string): Promise<number> {
  const row = await database
    .insertInto("spec_workflow_workers")
    .values({ hostname })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function touchWorker(
  database: Queryable,
  workerId: number,
  engineId: string | undefined,
): Promise<void> {
  await database
    .updateTable("spec_workflow_workers")
    .set({
      seen_at: sql`clock_timestamp()`,
      ...(engineId === undefined
        ? {}
        : { engine_id: engineId, engine_seen_at: sql`clock_timestamp()` }),
    })
    .where("id", "=", workerId)
    .execute();
}
