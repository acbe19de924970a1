import { randomUUID } from "node:crypto";
import { failureOf } from "../../domain/speckit-error.ts";
import type { AttemptAuthority } from "../../ports/attempt-authority.ts";
import type { Clock } from "../../ports/clock.ts";
import type { JobName } from "../../ports/job-runtime.ts";
import type { Logger } from "../../ports/logger.ts";
import type { ModelCall } from "../../ports/model-gateway.ts";

/** Calls that are kept for a store that is away: some 10 MB. */
const MAX_KEPT = 10_000;
/** How long an agent is made to wait for the record of its call. */
const WAIT_MS = 2_000;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5_000;

/** Ended calls on their way into the store, in the order of their ends. */
export interface CallLedger {
  /**
   * Resolves when the call is stored, or when that takes too long: then it is kept, and stored as soon
   * as the store answers. Never rejects.
   */
  readonly record: (attempt: JobName, call: ModelCall) => Promise<void>;
  /** Calls that are not stored yet. */
  readonly kept: () => number;
  /** Resolves when everything is stored, at the latest after `withinMs`. */
  readonly flush: (withinMs: number) => Promise<void>;
}

interface Entry {
  readonly attempt: JobName;
  readonly callId: string;
  readonly call: ModelCall;
  /** Who waits for it goes on. */
  readonly release: () => void;
}

/**
 * Stores one call after the other, each until it is stored: under an id of its own, since an answer
 * that was lost does not tell whether it was. While the store is away nobody waits. Of more calls than
 * can be kept the oldest are lost, and so is what is kept when this process ends: limits then count less.
 */
export function callLedger(options: {
  readonly authority: Pick<AttemptAuthority, "recordCall">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxKept?: number;
}): CallLedger {
  const { authority, clock, logger, maxKept = MAX_KEPT } = options;
  const queue: Entry[] = [];
  let isAway = false;
  let working: Promise<void> | undefined;
  let lost = 0;

  const store = async (entry: Entry): Promise<"stored" | "later"> => {
    try {
      await authority.recordCall(entry.attempt, entry.callId, entry.call);
    } catch (error) {
      const { code, message } = failureOf(error);
      if (code !== "INTERNAL_ERROR") {
        if (!isAway) {
          logger.warn("model calls are kept here: the store is away", { error: message });
        }
        isAway = true;
        return "later";
      }
      // It would stand in the way of all that come after it, and another try be refused as well.
      logger.error("model call not recorded", { ...entry.attempt, error: message });
    }
    return "stored";
  };

  const work = async (): Promise<void> => {
    let delayMs = FIRST_DELAY_MS;
    for (let entry = queue[0]; entry !== undefined; entry = queue[0]) {
      if ((await store(entry)) === "later") {
        for (const { release } of queue) {
          release();
        }
        await clock.sleep(delayMs);
        delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
        continue;
      }
      delayMs = FIRST_DELAY_MS;
      // Its place may have been given up meanwhile.
      if (queue[0] === entry) {
        queue.shift();
      }
      entry.release();
    }
    if (isAway) {
      isAway = false;
      logger.info("model calls that were kept are recorded", { lost });
      lost = 0;
    }
    working = undefined;
  };

  return {
    async record(attempt, call) {
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      queue.push({ attempt, callId: randomUUID(), call, release });
      if (queue.length > maxKept) {
        queue.shift()?.release();
        lost += 1;
        if (lost === 1 || lost % 1_000 === 0) {
          logger.error("model calls are lost: the store is away for too long", { lost });
        }
      }
      working ??= work();
      if (!isAway) {
        await atMost(clock, released, WAIT_MS);
      }
    },
    kept: () => queue.length,
    async flush(withinMs) {
      await atMost(clock, working ?? Promise.resolve(), withinMs);
    },
  };
}

async function atMost(clock: Clock, work: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work, clock.sleep(ms, over.signal)]);
  } finally {
    over.abort();
  }
}
