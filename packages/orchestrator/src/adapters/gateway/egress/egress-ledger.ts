import { failureOf } from "../../../domain/speckit-error.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { EgressJournal } from "../../../ports/egress.ts";
import type { Logger } from "../../../ports/logger.ts";
import type { EgressAccount } from "./egress-account.ts";

/** How long an agent is made to wait for the record of what it has asked for. */
const WAIT_MS = 2_000;
/** How often the bytes of open tunnels are told: what a gateway that dies has not told is lost. */
const LIVE_MS = 5_000;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5_000;

/** Accounts on their way into the store. Disposing it ends its watch over open tunnels. */
export interface EgressLedger extends Disposable {
  /**
   * Resolves when the account is stored as it is now, or when that takes too long: then it is stored
   * as soon as the store answers. Never rejects.
   */
  readonly record: (account: EgressAccount) => Promise<void>;
  /** Resolves when everything is stored, at the latest after `withinMs`. */
  readonly flush: (withinMs: number) => Promise<void>;
}

/**
 * Stores accounts as sums, one after the other, each until it is stored; what changes meanwhile goes with
 * the next time, so that a flood of requests is a few statements. While the store is away nobody waits.
 */
export function egressLedger(options: {
  readonly journal: EgressJournal;
  readonly clock: Clock;
  readonly logger: Logger;
}): EgressLedger {
  const { journal, clock, logger } = options;
  const over = new AbortController();
  const waiting = new Map<EgressAccount, (() => void)[]>();
  const alive = new Set<EgressAccount>();
  let isAway = false;
  let working: Promise<void> | undefined;

  const store = async (account: EgressAccount): Promise<"stored" | "later"> => {
    try {
      await journal.recordEgress(account.attempt, account.source, account.entries());
    } catch (error) {
      const { code, message } = failureOf(error);
      if (code !== "INTERNAL_ERROR") {
        if (!isAway) {
          logger.warn("counts of egress are kept here: the store is away", { error: message });
        }
        isAway = true;
        return "later";
      }
      logger.error("egress not recorded", { ...account.attempt, error: message });
    }
    isAway = false;
    return "stored";
  };

  const work = async (): Promise<void> => {
    let delayMs = FIRST_DELAY_MS;
    for (const [account, release] of waiting) {
      waiting.delete(account);
      if ((await store(account)) === "stored") {
        delayMs = FIRST_DELAY_MS;
        release.forEach(call);
        continue;
      }
      waiting.set(account, waiting.get(account) ?? []);
      [...release, ...[...waiting.values()].flat()].forEach(call);
      await clock.sleep(delayMs);
      delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
    }
    working = undefined;
  };

  const put = (account: EgressAccount): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.set(account, [...(waiting.get(account) ?? []), resolve]);
    working ??= work();
    return promise;
  };

  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await clock.sleep(LIVE_MS, over.signal);
      for (const account of alive) {
        void put(account);
        if (account.openTunnels() === 0) {
          alive.delete(account);
        }
      }
    }
  };
  void watch();

  return {
    async record(account) {
      if (account.openTunnels() > 0) {
        alive.add(account);
      }
      const stored = put(account);
      if (!isAway) {
        await atMost(clock, stored, WAIT_MS);
      }
    },
    async flush(withinMs) {
      await atMost(clock, working ?? Promise.resolve(), withinMs);
    },
    [Symbol.dispose]: () => over.abort(),
  };
}

function call(release: () => void): void {
  release();
}

async function atMost(clock: Clock, work: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work, clock.sleep(ms, over.signal)]);
  } finally {
    over.abort();
  }
}
