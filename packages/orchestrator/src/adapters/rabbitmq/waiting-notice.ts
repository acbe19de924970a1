import type { Logger } from "../../ports/logger.ts";

const EVERY_MS = 30_000;

export interface WaitingNotice {
  readonly failed: (reason: string) => void;
  readonly arrived: () => void;
}

/** Says "waiting for …" at the first failure and then at most every 30 s, and "… is there" once at its end. */
export function waitingNotice(description: string, logger: Logger): WaitingNotice {
  let saidAtMs: number | undefined;
  return {
    failed(reason) {
      const nowMs = performance.now();
      if (saidAtMs === undefined || nowMs - saidAtMs >= EVERY_MS) {
        saidAtMs = nowMs;
        logger.warn(`waiting for ${description}`, { reason });
      }
    },
    arrived() {
      if (saidAtMs !== undefined) {
        saidAtMs = undefined;
        logger.info(`${description} is there`);
      }
    },
  };
}
