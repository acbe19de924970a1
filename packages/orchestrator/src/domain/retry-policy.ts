import { dispositionOf, type FailureClass } from "./failure.ts";
import type { PipelinePhase } from "./phase.ts";
import type { AttemptFact } from "./run-state.ts";

/**
 * Delays between tries, in milliseconds: each is a retry queue of its own at the broker, since
 * messages of mixed delays in one queue wait for the longest in front of them.
 */
export const RETRY_TIERS_MS = [5_000, 30_000, 120_000, 600_000, 1_800_000] as const;
export type RetryTierMs = (typeof RETRY_TIERS_MS)[number];

/** Retries a phase gets per class. A class that is not listed spends nothing. */
export const RETRY_BUDGET: Readonly<Partial<Record<FailureClass, number>>> = {
  transient: 3,
  timeout: 1,
  invalid_output: 2,
};

/**
 * Retries of `pull_request`: the branch is at the remote, nothing is lost by waiting, and a host that
 * is down comes back. Ten starts in all.
 */
const PULL_REQUEST_RETRIES = 9;

/** Longest time that all waits between the starts of one phase take together. */
const MAX_WAITS_MS = 86_400_000;

/** Starts a phase gets in all, whatever ended them: bounds what spends no budget. */
export const MAX_STARTS_PER_PHASE = 20;

export type RetryVerdict =
  | { readonly retry: "now" }
  | { readonly retry: "after_input" }
  /** The credential's limit must end first; `cool-down.ts` says how long the run rests. */
  | { readonly retry: "after_cool_down" }
  | { readonly retry: "later"; readonly tierMs: RetryTierMs }
  | { readonly retry: "never"; readonly because: "permanent" | "budget spent" | "too many starts" };

/**
 * What follows from an attempt that ended without success. Budgets are derived by counting the
 * phase's earlier attempts, so there is no counter that could be wrong.
 *
 * @param earlier the phase's attempts before the one that just ended
 */
export function judgeRetry(
  phase: PipelinePhase | undefined,
  earlier: readonly AttemptFact[],
  failureClass: FailureClass,
): RetryVerdict {
  if (earlier.length + 1 >= MAX_STARTS_PER_PHASE) {
    return { retry: "never", because: "too many starts" };
  }
  switch (dispositionOf(failureClass)) {
    case "restart":
      return { retry: "now" };
    case "pause":
      return { retry: "after_input" };
    case "wait":
      return { retry: "after_cool_down" };
    case "retry": {
      const spent = earlier.filter((attempt) => attempt.failureClass === failureClass).length;
      if (spent >= retriesOf(phase, failureClass)) {
        return { retry: "never", because: "budget spent" };
      }
      // The findings are what an agent needs to repair its output: waiting would add nothing.
      return failureClass === "invalid_output"
        ? { retry: "now" }
        : { retry: "later", tierMs: tierAfter(earlier) };
    }
    default:
      return { retry: "never", because: "permanent" };
  }
}

/** Retries a phase gets for failures of a class; 0 also for a class that spends nothing. */
export function retriesOf(phase: PipelinePhase | undefined, failureClass: FailureClass): number {
  return phase === "pull_request" && failureClass === "transient"
    ? PULL_REQUEST_RETRIES
    : (RETRY_BUDGET[failureClass] ?? 0);
}

function tierAfter(earlier: readonly AttemptFact[]): RetryTierMs {
  const waited = earlier.filter(
    (attempt) => attempt.failureClass === "transient" || attempt.failureClass === "timeout",
  ).length;
  return RETRY_TIERS_MS[Math.min(waited, RETRY_TIERS_MS.length - 1)] ?? RETRY_TIERS_MS[0];
}

/** When a run that waits for its next try is due and looked at by the sweeper, from now, in milliseconds. */
export interface RetryWait {
  readonly dueInMs: number;
  readonly wakeInMs: number;
}

/** The sweeper looks this much later than the delayed message comes: only if that is lost. */
const AFTER_MESSAGE_MS = 15_000;

/**
 * How long a run waits for its next try. It is due a little before the delayed message arrives,
 * spread so that a burst of failures does not return as a burst. Where the other side has said when
 * it may be asked again, not before that: then the message comes too early and is forgotten, and the
 * sweeper looks. No wait is so long that a phase could wait for more than a day in all.
 *
 * @param toldMs until the other side may be asked again, undefined when it has not said
 * @param random uniform in [0, 1)
 */
export function retryWait(
  tierMs: RetryTierMs,
  toldMs: number | undefined,
  random: number,
): RetryWait {
  const dueInMs = Math.round(tierMs * (0.8 + 0.2 * random));
  const told = Math.min(toldMs ?? 0, MAX_WAITS_MS / PULL_REQUEST_RETRIES);
  return told <= dueInMs
    ? { dueInMs, wakeInMs: tierMs + AFTER_MESSAGE_MS }
    : { dueInMs: Math.ceil(told), wakeInMs: Math.ceil(told + random * AFTER_MESSAGE_MS) };
}
