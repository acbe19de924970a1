import type { ExitCode, RuntimeChoice } from "@speckit/orchestrator";
import { readEnvironment } from "@speckit/orchestrator/node";
import { runDaemon } from "@speckit/worker";
import { configOf } from "../open-session.ts";

/** `speckit worker`: a worker of the fleet, or of everything in the embedded database. */
export async function workerCommand(options: {
  readonly unsafe?: boolean;
  readonly runtime?: RuntimeChoice;
}): Promise<ExitCode> {
  await using undo = new AsyncDisposableStack();
  const { logLevel = "info", logFormat } = readEnvironment(process.env);
  const { config } = await configOf({ ...options, carries: true }, undo);
  const format = logFormat ?? (process.stderr.isTTY ? "text" : "json");
  return await runDaemon({ ...config, logLevel, logFormat: format });
}
