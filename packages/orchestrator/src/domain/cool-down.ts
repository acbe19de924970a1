import type { FailureClass } from "./failure.ts";
import { RETRY_TIERS_MS } from "./retry-policy.ts";
import type { AttemptFact } from "./run-state.ts";

/** Longest time that one run rests for its provider's limits, all told. */
export const MAX_COOLED_MS = 86_400_000;

/** How long a run rests that met a limit, when nobody says how long that lasts. */
const UNTOLD_MS = { rate_limited: 60_000, quota: 900_000 } as const;

/** A limit of the credential an agent uses: its end must be waited for. */
export type LimitClass = keyof typeof UNTOLD_MS;

export function isLimit(failureClass: FailureClass | undefined): failureClass is LimitClass {
  return failureClass !== undefined && Object.hasOwn(UNTOLD_MS, failureClass);
}

/**
 * How long a run rests whose attempt has met a limit. At least as long as the provider says, and
 * from the second time on at least a retry tier: no budget is spent, so a limit that is told as
 * nearly over again and again must not become a storm of starts.
 *
 * @param toldMs until the limit ends, undefined when nobody has said
 * @param earlier the phase's attempts before the one that met it
 * @param random uniform in [0, 1)
 */
export function coolDownMs(
  limit: LimitClass,
  toldMs: number | undefined,
  earlier: readonly AttemptFact[],
  random: number,
): number {
  const met = earlier.filter(({ failureClass }) => isLimit(failureClass)).length;
  const tierMs = met === 0 ? 0 : (RETRY_TIERS_MS[met - 1] ?? RETRY_TIERS_MS.at(-1) ?? 0);
  return spreadMs(Math.max(toldMs ?? UNTOLD_MS[limit], tierMs, 0), random);
}

/**
 * A time to rest, spread: by up to 30 s, or by a tenth of it where that is less. Many runs wait for
 * the same moment, and must not come back in one.
 *
 * @param random uniform in [0, 1)
 */
export function spreadMs(restMs: number, random: number): number {
  return Math.ceil(restMs + random * Math.min(30_000, restMs / 10));
}
