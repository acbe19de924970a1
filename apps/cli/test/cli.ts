import { fileURLToPath } from "node:url";
import { type ProgramResult, type RunningProgram, startProgram } from "@speckit/testkit";

export const SPECKIT = fileURLToPath(new URL("../bin/speckit.mjs", import.meta.url));

export interface Cli {
  readonly start: (args: readonly string[], input?: string | Uint8Array) => RunningProgram;
  readonly run: (args: readonly string[], input?: string | Uint8Array) => Promise<ProgramResult>;
}

/**
 * `npx speckit` with a state folder of its own.
 *
 * @param timeoutMs how long one command may take at all, default a minute
 */
export function cli(
  stateDir: string,
  env: Readonly<Record<string, string>> = {},
  timeoutMs?: number,
): Cli {
  const start: Cli["start"] = (args, input) =>
    startProgram(SPECKIT, args, {
      cwd: stateDir,
      env: { SPECKIT_HOME: stateDir, SPECKIT_DATABASE_IDLE_STOP_MS: "1000", ...env },
      ...(input === undefined ? {} : { input }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  return { start, run: (args, input) => start(args, input).result };
}
