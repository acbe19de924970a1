import { isSpeckitError } from "../domain/speckit-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5_000;

/**
 * Does something that may be done again, until the database answers or the signal aborts; every
 * other error is thrown at once. Work in hand waits here: handing it back would only move the wait
 * to another worker, and count against the message. A database that refuses a user whose password
 * was just changed is as good as away: neither the run nor the request is to blame.
 *
 * @param onAway told each time it does not answer; default a line in the log
 */
export async function untilAvailable<T>(
  deps: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
  work: () => Promise<T>,
  onAway: (reason: unknown) => void = (reason) =>
    deps.logger.warn("waiting for PostgreSQL", { error: String(reason) }),
): Promise<T> {
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS)) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseAway(error) || signal.aborted) {
        throw error;
      }
      onAway(error);
      await deps.clock.sleep(delayMs * (0.5 + 0.5 * deps.clock.random()), signal);
    }
  }
}

export function isDatabaseAway(error: unknown): boolean {
  return (
    isSpeckitError(error) &&
    (error.code === "DATABASE_UNAVAILABLE" || error.code === "SERVICE_REFUSED")
  );
}
