import { type ExitCode, exitCodeOfFailure, failureOf } from "@speckit/orchestrator";
import { loggerFor, type OpenOptions, type OrchestratorConfig } from "@speckit/orchestrator/node";
import { startWorker } from "./start-worker.ts";

/**
 * Runs a worker until a signal ends it. The first SIGTERM or SIGINT drains: nothing new is taken,
 * every run is handed over, exit 0. A second one stops at once with what is in hand, exit 75; the
 * leases run out and others carry on.
 *
 * @returns the process's exit code
 */
export async function runDaemon(
  config: OrchestratorConfig,
  options: Pick<OpenOptions, "reach"> = {},
): Promise<ExitCode> {
  const logger = loggerFor(config);
  const starting = new AbortController();
  const stopped = Promise.withResolvers<"first">();
  let signals = 0;
  const onSignal = (name: NodeJS.Signals): void => {
    signals += 1;
    if (signals > 1) {
      logger.warn("stopped with work in hand", { signal: name });
      process.exit(75);
    }
    logger.info("signal", { signal: name });
    starting.abort();
    stopped.resolve("first");
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  try {
    const handle = await startWorker(config, starting.signal, options);
    await stopped.promise;
    await handle.drain();
    return 0;
  } catch (error) {
    if (starting.signal.aborted) {
      return 0;
    }
    const failure = failureOf(error);
    logger.error(failure.message, { code: failure.code, remedy: failure.remedy });
    return exitCodeOfFailure(failure);
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}
