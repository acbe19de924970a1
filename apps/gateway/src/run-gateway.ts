import { setTimeout as delay } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type ExitCode, failureOf, isSpeckitError, type Logger } from "@speckit/orchestrator";
import {
  type GatewayConfig,
  gatewayLogger,
  type OpenServedGateway,
  openServedGateway,
} from "@speckit/orchestrator/node";
import { startOperatorServer } from "./operator-server.ts";

/** How long open calls may go on after a signal: engines kill 10 s after theirs, and records take time. */
const DRAIN_MS = 8_000;
const LONGEST_DELAY_MS = 5_000;
/** How often the time without a live attempt is looked at. */
const IDLE_LOOK_MS = 500;

/**
 * Serves until a signal ends it, or until no attempt was live for as long as configured. Waits for the
 * database where it must ask for the deployment's id. When it serves it prints one JSON line on
 * stdout, `{"event":"ready",…}`: whoever has started it waits for that.
 *
 * @returns the process's exit code
 */
export async function runGateway(config: GatewayConfig): Promise<ExitCode> {
  const logger = gatewayLogger(config);
  const stopping = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    logger.info("signal", { signal });
    if (stopping.signal.aborted) {
      process.exit(75);
    }
    stopping.abort();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  if (config.extraCaPem !== undefined) {
    setDefaultCACertificates([...getCACertificates("default"), config.extraCaPem]);
  }
  try {
    const { socketPath, idleExitMs, healthPort, healthHost } = config;
    let serving: OpenServedGateway | undefined;
    await using operator =
      healthPort === undefined
        ? undefined
        : await startOperatorServer({
            port: healthPort,
            host: healthHost,
            gateway: () => serving,
          });
    if (operator !== undefined) {
      logger.info("health and metrics", { host: healthHost, port: operator.port });
    }
    await using gateway = await untilOpen(config, logger, stopping.signal);
    if (gateway === undefined) {
      return 0;
    }
    serving = gateway;
    const { deploymentId, idleForMs } = gateway;
    process.stdout.write(
      `${JSON.stringify({ event: "ready", deploymentId, socketPath, healthPort: operator?.port })}\n`,
    );
    logger.info("gateway serves", { deploymentId, socketPath });
    await untilOver(stopping.signal, () => idleExitMs !== undefined && idleForMs() >= idleExitMs);
    logger.info("gateway ends", { because: stopping.signal.aborted ? "signal" : "idle" });
    await gateway.drain(DRAIN_MS);
    return 0;
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}

/** @returns undefined when the signal came first */
async function untilOpen(config: GatewayConfig, logger: Logger, signal: AbortSignal) {
  for (let delayMs = 250; !signal.aborted; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
    try {
      return await openServedGateway(config, logger);
    } catch (error) {
      if (!isSpeckitError(error) || error.class !== "transient") {
        throw error;
      }
      const { code, message } = failureOf(error);
      logger.warn("waiting", { code, reason: message, delayMs });
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

async function untilOver(signal: AbortSignal, isIdle: () => boolean): Promise<void> {
  while (!signal.aborted && !isIdle()) {
    await delay(IDLE_LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}
