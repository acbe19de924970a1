import { setTimeout as delay } from "node:timers/promises";
import { isSpeckitError, type Logger } from "@speckit/orchestrator";

const LONGEST_DELAY_MS = 5_000;

/**
 * Tries until it works, and says what it waits for; only a fault that waiting cannot heal is thrown.
 *
 * @throws the last error when the signal aborts
 */
export async function untilServicesAnswer<T>(
  start: () => Promise<T>,
  logger: Logger,
  signal: AbortSignal,
): Promise<T> {
  for (let delayMs = 250; ; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
    try {
      return await start();
    } catch (error) {
      if (!isSpeckitError(error) || error.class !== "transient" || signal.aborted) {
        throw error;
      }
      logger.warn("waiting", { code: error.code, reason: error.message, delayMs });
      await delay(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) {
        throw error;
      }
    }
  }
}
