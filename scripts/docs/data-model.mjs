import { code, table } from "./markdown.mjs";
import { readCatalog } from "./read-catalog.mjs";

/** Made by the migrator itself, before any migration could comment on them. */
const migrators = {
  spec_workflow_migrations: "Which migrations are applied: the migrator's own.",
  spec_workflow_migration_lock: "Lets one process migrate at a time: the migrator's own.",
};

const head = `# Data model

Generated from a migrated database by \`scripts/generate-data-model.mjs\`; the meanings are the
schema's own comments (\`\\d+\` in psql shows them too). Times are the database's. What the tables are
for, and who writes when: [architecture](architecture.md).
`;

/**
 * docs/data-model.md, from a migrated database. The same for every supported version of PostgreSQL.
 *
 * @param client a connected `pg` client
 * @throws Error for a table without a comment
 */
export async function dataModel(client) {
  const tables = await readCatalog(client);
  if (tables.length === 0) throw new Error("The database has no table of ours: migrate it first");
  return `${[head, ...tables.map(section)].join("\n")}`;
}

function section({ name, comment, columns, constraints, indexes, triggers }) {
  const meaning = comment ?? migrators[name];
  if (meaning === undefined) throw new Error(`Table ${name} has no comment: COMMENT ON TABLE it`);
  const keys = constraints.map(({ definition }) => item(definition));
  return [
    `## ${name}\n\n${meaning}\n`,
    `${table(["column", "type", "", "default", "meaning"], columns.map(row))}\n`,
    ...list("Keys and checks", keys),
    ...list("Indexes", indexes.map(index)),
    ...list(
      "Triggers",
      triggers.map(({ definition, comment }) => item(definition, comment)),
    ),
  ].join("\n");
}

function row({ name, type, required, generated, numbered, value, comment }) {
  const given = generated ? "" : numbered ? "the next number" : value === null ? "" : sql(value);
  return [
    code(name),
    type,
    required ? "not null" : "",
    given,
    [comment, generated ? `Computed: ${sql(value)}` : undefined].filter(Boolean).join(" "),
  ];
}

const list = (title, items) => (items.length === 0 ? [] : [`${title}:\n\n${items.join("\n")}\n`]);
const item = (definition, comment) => `- ${sql(definition)}${comment ? `: ${comment}` : ""}`;

function index({ definition, comment }) {
  const short = definition.replace(/^CREATE (UNIQUE )?INDEX (\S+) ON \S+ USING btree/, "$1$2");
  return item(short, comment);
}

/** On one line, without the schema's name: both differ with where and how it is asked. */
const sql = (text) =>
  code(
    text
      .replace(/\s+/g, " ")
      .trim()
      .replace(/\bpublic\./g, ""),
  );
