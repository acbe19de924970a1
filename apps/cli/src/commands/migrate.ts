import type { ExitCode } from "@speckit/orchestrator";
import { migrateDatabase } from "@speckit/orchestrator/node";
import { configOf } from "../open-session.ts";

/** `speckit migrate`: brings the database to the newest schema; safe to run from many places at once. */
export async function migrateCommand(options: {
  readonly json?: boolean;
  readonly verbose?: boolean;
}): Promise<ExitCode> {
  await using undo = new AsyncDisposableStack();
  const { config } = await configOf(options, undo);
  const { applied } = await migrateDatabase(config.databaseUrl ?? "");
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ applied })}\n`
      : applied.length === 0
        ? "nothing to do: the schema is the newest\n"
        : applied.map((name) => `applied ${name}\n`).join(""),
  );
  return 0;
}
