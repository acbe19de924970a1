import type pg from "pg";
import { type Diagnosis, fine, notLookedAt, problem, warning } from "../../../ports/diagnosis.ts";
import { newestOf } from "../migration/check-program.ts";
import { MIGRATIONS_TABLE } from "../migration/migrate-database.ts";
import { sqlFiles } from "../migration/sql-files.ts";

export interface SchemaState {
  readonly found: readonly Diagnosis[];
  /** The tables are such that this program may work with them. */
  readonly isReadable: boolean;
}

/** Whether the tables are those of this program, and what the role may do with them. */
export async function lookAtSchema(client: pg.Client): Promise<SchemaState> {
  const { rows } = await client.query<{ there: boolean; schema: string | null; may: boolean }>(
    `SELECT to_regclass($1) IS NOT NULL AS there, current_schema() AS schema,
      coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may`,
    [MIGRATIONS_TABLE],
  );
  const { there = false, schema = null, may: mayCreate = false } = rows[0] ?? {};
  const applied = there ? await appliedNames(client) : [];
  const known = Object.keys(await sqlFiles());
  const due = known.filter((name) => !applied.includes(name));
  const newer = applied.filter((name) => !known.includes(name));
  if (due.length > 0) {
    const what =
      applied.length === 0
        ? "there are no tables yet"
        : `${due.length} of ${known.length} migrations are due: ${due.join(", ")}`;
    return {
      isReadable: false,
      found: [
        warning("database.schema", what),
        mayCreate
          ? fine("database.rights", `the role may make tables in the schema ${schema}`)
          : problem(
              "database.rights",
              `the role may not make tables in ${schema === null ? "any schema of its search_path" : `the schema ${schema}`}`,
              "GRANT CREATE on the schema to the role, or run `speckit migrate` as a role that has it.",
            ),
      ],
    };
  }
  const needed = await oldestProgram(client);
  if (newestOf(known) < needed) {
    return {
      isReadable: false,
      found: [
        problem(
          "database.schema",
          `the database needs a program that knows migration ${needed}, this one knows them up to ${newestOf(known)}`,
          "Update this program to the version of the others (DATABASE_TOO_NEW).",
        ),
        notLookedAt("database.rights", "the tables are too new for this program"),
      ],
    };
  }
  return {
    isReadable: true,
    found: [
      newer.length > 0
        ? warning(
            "database.schema",
            `the database is newer, and this program may work with it: it does not know ${newer.join(", ")}`,
            "Finish the upgrade: update this program to the version of the others.",
          )
        : fine("database.schema", `all ${known.length} migrations are applied`),
      await rightsOf(client),
    ],
  };
}

/** The number of a migration that every program here has to know. */
async function oldestProgram(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ oldest: number }>(
    "SELECT oldest_program AS oldest FROM spec_workflow_deployment",
  );
  return rows[0]?.oldest ?? 0;
}

async function appliedNames(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY name`,
  );
  return rows.map(({ name }) => name);
}

async function rightsOf(client: pg.Client): Promise<Diagnosis> {
  const { rows } = await client.query<{ right: string; tables: string[] }>(`
    SELECT "right", array_agg(relname::text ORDER BY relname) AS tables
    FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS "right"
    WHERE relkind IN ('r', 'p') AND relname LIKE 'spec\\_workflow\\_%'
      AND relname NOT LIKE 'spec\\_workflow\\_migration%' AND pg_table_is_visible(oid)
      AND NOT has_table_privilege(oid, "right")
    GROUP BY "right" ORDER BY "right"`);
  return rows.length === 0
    ? fine("database.rights", "the role may read and write the tables")
    : problem(
        "database.rights",
        `the role lacks ${rows.map(({ right, tables }) => `${right} on ${shortened(tables)}`).join("; ")}`,
      );
}

function shortened(names: readonly string[]): string {
  return names.length <= 3 ? names.join(", ") : `${names[0]} and ${names.length - 1} others`;
}
