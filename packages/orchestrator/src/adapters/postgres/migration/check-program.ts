import type { Kysely } from "kysely";
import { SpeckitError } from "../../../domain/speckit-error.ts";
import type { Database } from "../schema.ts";

/**
 * Refuses to work on a schema whose migrations have taken away what this program needs.
 *
 * @param known names of the migrations this program knows, each beginning with its number
 * @throws SpeckitError `DATABASE_TOO_NEW`
 */
export async function checkProgram(
  database: Kysely<Database>,
  known: readonly string[],
): Promise<void> {
  const { oldest_program: oldest } = await database
    .selectFrom("spec_workflow_deployment")
    .select("oldest_program")
    .executeTakeFirstOrThrow();
  const newest = newestOf(known);
  if (newest < oldest) {
    throw new SpeckitError(
      "DATABASE_TOO_NEW",
      `The database needs a program that knows migration ${oldest}; this one knows them up to ${newest}`,
    );
  }
}

/** The number of the newest of some migrations. */
export function newestOf(names: readonly string[]): number {
  return Math.max(...names.map((name) => Number.parseInt(name, 10)));
}
