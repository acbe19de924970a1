import { fencedError, isSpeckitError, SpeckitError } from "../domain/speckit-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Hold, RunRepository } from "../ports/run-repository.ts";
import { type Settings, trustedMs } from "./settings.ts";

/**
 * The worker's side of its leases. One statement renews all of them every heartbeat. The worker
 * trusts a lease for five sixths of its length from the *start* of its last good renewal, by its own
 * monotonic clock: past that, another worker may hold the run, so everything done for it outside the database
 * stops (the signal aborts) though nobody has said so yet. A renewal that does not bring a run back
 * means fenced: stop at once and touch nothing, what was started belongs to the new owner.
 */
export interface LeaseKeeper extends AsyncDisposable {
  /** @param claimedAtMs monotonic time when the claim was sent */
  readonly hold: (hold: Hold, claimedAtMs: number) => HeldLease;
  /** Renews the run's lease now, if it is held: a cancel that has come is seen at once. */
  readonly renewNow: (runId: string) => void;
}

export interface HeldLease extends Disposable {
  readonly hold: Hold;
  /** Aborts when the lease can no longer be trusted; its reason is the SpeckitError to throw. */
  readonly lost: AbortSignal;
  /** Aborts when somebody has asked to cancel the run. */
  readonly cancelled: AbortSignal;
  /** Milliseconds left of the trust window; 0 or less means lost. */
  readonly trustedForMs: () => number;
  /** Calls back after each renewal with what is then left of the trust window. */
  readonly onRenewed: (listener: ((trustedForMs: number) => void) | undefined) => void;
  /**
   * Does what gives the lease back. A renewal that crosses it comes back without the run: that says
   * nothing then, and what must follow, a wake-up, is not given up for it.
   */
  readonly giveBack: <T>(work: () => Promise<T>) => Promise<T>;
}

interface Entry {
  readonly lease: HeldLease;
  readonly lose: (reason: SpeckitError) => void;
  readonly cancel: () => void;
  readonly renewedAt: (ms: number) => void;
  readonly isGivingBack: () => boolean;
}

export function startLeaseKeeper(deps: {
  readonly runs: RunRepository;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
  readonly settings: Settings;
  readonly workerId: number;
  /** The id of this worker's engine if that answers and wake-ups can come; never rejects. */
  readonly heardEngine?: (() => Promise<string | undefined>) | undefined;
}): LeaseKeeper {
  const held = new Map<string, Entry>();
  const stopped = new AbortController();
  const beat = beats(deps, held, stopped.signal);
  return {
    hold(hold, claimedAtMs) {
      const entry = heldLease(deps, hold, claimedAtMs, () => held.delete(hold.runId));
      held.set(hold.runId, entry);
      return entry.lease;
    },
    renewNow(runId) {
      const entry = held.get(runId);
      if (entry !== undefined && !entry.lease.lost.aborted) {
        renew(deps, [entry]).catch((error: unknown) => {
          deps.logger.debug("not renewed at once", { runId, error: String(error) });
        });
      }
    },
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await beat;
      deps.metrics?.gauge("runs_in_hand", 0, {});
    },
  };
}

async function beats(
  deps: Parameters<typeof startLeaseKeeper>[0],
  held: ReadonlyMap<string, Entry>,
  stopped: AbortSignal,
): Promise<void> {
  const { clock, settings } = deps;
  while (!stopped.aborted) {
    await clock.sleep(settings.heartbeatMs, stopped);
    if (!stopped.aborted) {
      // A renewal that hangs must not keep the next one from being tried.
      await Promise.race([renewAll(deps, held), clock.sleep(settings.heartbeatMs, stopped)]);
    }
  }
}

async function renewAll(
  deps: Parameters<typeof startLeaseKeeper>[0],
  held: ReadonlyMap<string, Entry>,
): Promise<void> {
  // What was given up is not kept from others until its agent has ended.
  const entries = [...held.values()].filter((entry) => !entry.lease.lost.aborted);
  deps.metrics?.gauge("runs_in_hand", entries.length, {});
  try {
    if (entries.length > 0) {
      await renew(deps, entries);
    }
    await deps.runs.touchWorker(deps.workerId, await deps.heardEngine?.());
  } catch (error) {
    const code = isSpeckitError(error) ? error.code : undefined;
    deps.metrics?.count("renewals_failed", {});
    deps.logger.warn("leases not renewed", { code, error: String(error), runs: entries.length });
  }
}

async function renew(
  deps: Parameters<typeof startLeaseKeeper>[0],
  entries: readonly Entry[],
): Promise<void> {
  const startedAtMs = deps.clock.monotonicMs();
  const renewed = await deps.runs.renewLeases(
    entries.map((entry) => entry.lease.hold),
    deps.settings.leaseMs,
  );
  const byId = new Map(renewed.map((row) => [row.runId, row]));
  for (const entry of entries) {
    const row = byId.get(entry.lease.hold.runId);
    if (row === undefined && entry.isGivingBack()) {
      continue;
    }
    if (row === undefined) {
      deps.metrics?.count("leases_lost", { how: "refused" });
      entry.lose(fencedError(entry.lease.hold.runId, entry.lease.hold.epoch));
    } else {
      entry.renewedAt(startedAtMs);
      if (row.cancelRequested) {
        entry.cancel();
      }
    }
  }
}

function heldLease(
  deps: Pick<Parameters<typeof startLeaseKeeper>[0], "clock" | "metrics" | "settings">,
  hold: Hold,
  claimedAtMs: number,
  forget: () => void,
): Entry {
  const lost = new AbortController();
  const cancelled = new AbortController();
  const dropped = new AbortController();
  let renewedAtMs = claimedAtMs;
  let isGivingBack = false;
  let listener: ((trustedForMs: number) => void) | undefined;
  const trustedForMs = (): number =>
    renewedAtMs + trustedMs(deps.settings.leaseMs) - deps.clock.monotonicMs();
  const lose = (reason: SpeckitError): void => lost.abort(reason);

  const watch = async (): Promise<void> => {
    while (!dropped.signal.aborted && !lost.signal.aborted) {
      const leftMs = trustedForMs();
      if (leftMs <= 0) {
        deps.metrics?.count("leases_lost", { how: "silence" });
        lose(
          new SpeckitError(
            "RUN_FENCED",
            `Run ${hold.runId}: the lease was not renewed in time, another worker may own it`,
          ),
        );
        return;
      }
      await deps.clock.sleep(leftMs, dropped.signal);
    }
  };
  void watch();

  return {
    lease: {
      hold,
      lost: lost.signal,
      cancelled: cancelled.signal,
      trustedForMs,
      onRenewed(next) {
        listener = next;
      },
      async giveBack(work) {
        isGivingBack = true;
        try {
          return await work();
        } catch (error) {
          isGivingBack = false;
          throw error;
        }
      },
      [Symbol.dispose]() {
        dropped.abort();
        forget();
      },
    },
    lose,
    isGivingBack: () => isGivingBack,
    cancel: () => cancelled.abort(),
    renewedAt(ms) {
      // Renewals may overtake each other; an older answer takes nothing back.
      renewedAtMs = Math.max(renewedAtMs, ms);
      listener?.(trustedForMs());
    },
  };
}
