import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../ports/clock.ts";

/** Longest delay a Node timer takes; a longer one would fire at once. */
const LONGEST_MS = 2_147_483_647;

/** This machine's time. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  now: () => new Date(),
  random: () => Math.random(),
  async sleep(ms, signal) {
    if (signal?.aborted === true) {
      return;
    }
    try {
      await delay(Math.min(Math.max(ms, 0), LONGEST_MS), undefined, signal && { signal });
    } catch (error) {
      if (!(error instanceof Error && error.name === "AbortError")) {
        throw error;
      }
    }
  },
};
