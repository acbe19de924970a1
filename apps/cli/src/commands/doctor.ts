import { lookAtEmbeddedDatabase } from "@speckit/embedded-database";
import type { Diagnosis, ExitCode, RuntimeChoice } from "@speckit/orchestrator";
import { type DiagnoseOptions, diagnose, readAsFarAsValid } from "@speckit/orchestrator/node";
import { diagnosisAsText } from "../output/diagnosis-as-text.ts";

/** `speckit doctor`: the whole deployment, each thing looked at, with what to do about it. */
export async function doctorCommand(options: {
  readonly json?: boolean;
  readonly unsafe?: boolean;
  readonly runtime?: RuntimeChoice;
  readonly repository?: readonly string[];
}): Promise<ExitCode> {
  const { config, ...read } = readAsFarAsValid(process.env);
  const isEmbedded = config.databaseUrl === undefined && !read.leftOut.includes("DATABASE_URL");
  const found = await diagnose(
    {
      ...config,
      ...(isEmbedded ? { allowPaths: true } : {}),
      ...(options.unsafe === true ? { unsafe: true } : {}),
      ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
    },
    {
      read,
      repositories: options.repository ?? [],
      ...(isEmbedded ? { embedded: await embeddedState(config.stateDir) } : {}),
    },
  );
  process.stdout.write(
    options.json === true ? `${JSON.stringify(found)}\n` : diagnosisAsText(found),
  );
  return exitCodeOf(found);
}

/** Warnings alone are no reason to stop a deployment. */
function exitCodeOf(found: readonly Diagnosis[]): ExitCode {
  return found.some(({ state }) => state === "problem") ? 78 : 0;
}

async function embeddedState(stateDir: string): Promise<NonNullable<DiagnoseOptions["embedded"]>> {
  const look = await lookAtEmbeddedDatabase(stateDir);
  switch (look.state) {
    case "absent":
      return { found: "not there yet: the first command makes it" };
    case "stopped":
      return { found: `PostgreSQL ${look.major}, stopped: the next command starts it` };
    case "running":
      return {
        found: `PostgreSQL ${look.major}, running`,
        connectionString: look.connectionString,
      };
  }
}
