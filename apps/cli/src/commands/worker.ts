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
  // A daemon's log goes by where it goes, unlike a command's.
  const { logFormat: _ofCommands, ...config } = (
    await configOf({ ...options, carries: true }, undo)
  ).config;
  return await runDaemon({
    ...config,
    logLevel,
    ...(logFormat === undefined ? {} : { logFormat }),
  });
}
