import { postgresRunRepository } from "../../../src/adapters/postgres/index.ts";
import type { RunSurroundingsReader } from "../../../src/ports/run-surroundings.ts";
import type { RunRepositoryFactory } from "../../../src/testing/run-repository-contract.ts";
import { sqlClient } from "./sql-client.ts";

const TABLES = [
  "workers",
  "runs",
  "task_states",
  "events",
  "artifacts",
  "checkpoints",
  "commands",
  "answers",
  "proposals",
  "credentials",
  "model_calls",
] as const;

/** Every row of every table, as JSON text in one order. */
const DUMP = TABLES.map(
  (table) => `SELECT '${table}' AS name, to_jsonb(t)::text AS line FROM spec_workflow_${table} t`,
).join(" UNION ALL ");

/** Time passes by moving all that is stored into the past. */
const PASS_TIME = `WITH passed AS (SELECT $1::float8 * interval '1 millisecond' AS time),
  credentials AS (
    UPDATE spec_workflow_credentials SET cooling_until = cooling_until - time FROM passed
  ),
  workers AS (
    UPDATE spec_workflow_workers SET engine_seen_at = engine_seen_at - time FROM passed
  ),
  attempts AS (
    UPDATE spec_workflow_task_states
    SET started_at = started_at - time, ended_at = ended_at - time FROM passed
  )
  UPDATE spec_workflow_runs SET lease_until = lease_until - time, due_at = due_at - time,
    wake_at = wake_at - time, cleaned_at = cleaned_at - time FROM passed`;

/** Empties a migrated database of runs and opens the adapter on it. */
export function postgresSubject(
  url: string,
): () => Promise<
  Awaited<ReturnType<RunRepositoryFactory>> & { readonly surroundings: RunSurroundingsReader }
> {
  return async () => {
    await using undo = new AsyncDisposableStack();
    const sql = undo.use(await sqlClient(url));
    await sql.query(
      `TRUNCATE ${TABLES.map((table) => `spec_workflow_${table}`).join(", ")} CASCADE`,
    );
    const runs = undo.use(
      postgresRunRepository({ connectionString: url, artifactRetentionMs: 604_800_000 }),
    );
    const owned = undo.move();
    return {
      runs,
      credentials: runs.credentials,
      surroundings: runs.surroundings,
      passTime: async (ms) => {
        await sql.query(PASS_TIME, [ms]);
      },
      dump: () => sql.query(`SELECT * FROM (${DUMP}) AS everything ORDER BY name, line`),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  };
}
