import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const CHECKOUT = fileURLToPath(new URL("../../..", import.meta.url));
const MIGRATION = "9999_of_the_next_version";

/** Changes every table that a run writes to, as a migration may that the version before can live with. */
const SQL = `
  ALTER TABLE spec_workflow_runs ADD COLUMN weight integer NOT NULL DEFAULT 1;
  ALTER TABLE spec_workflow_task_states ADD COLUMN note text;
  ALTER TABLE spec_workflow_events ADD COLUMN origin text NOT NULL DEFAULT 'worker';
  CREATE INDEX ON spec_workflow_events (type, created_at);
  CREATE TABLE spec_workflow_notes (run_id uuid REFERENCES spec_workflow_runs ON DELETE CASCADE, note text);
  CREATE FUNCTION spec_workflow_weigh() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.weight := NEW.weight + 1; RETURN NEW; END $$;
  CREATE TRIGGER weigh BEFORE UPDATE OF phase_ix ON spec_workflow_runs
    FOR EACH ROW EXECUTE FUNCTION spec_workflow_weigh();`;

/**
 * Makes a worker of a version to come: this checkout's sources with one migration more.
 *
 * @returns its main program
 */
export async function nextVersion(folder: string): Promise<string> {
  await mkdir(folder);
  for (const part of ["apps", "packages", "migrations", "package.json"]) {
    await cp(join(CHECKOUT, part), join(folder, part), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  await symlink(join(CHECKOUT, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "migrations", `${MIGRATION}.sql`), SQL);
  return join(folder, "apps/worker/src/main.ts");
}
