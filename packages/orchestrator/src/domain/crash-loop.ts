import type { AttemptFact } from "./run-state.ts";

/** Owners that may die over one phase before its attempt counts as failed. */
export const MAX_TAKEOVERS = 3;

/** Claims that may come to nothing, one after another, before the run's next attempt counts as failed. */
export const MAX_IDLE_CLAIMS = 10;

/**
 * Whether an owner's death is one too many. Neither being taken over nor being claimed spends a
 * budget, and the broker's delivery limit only moves a message away that the sweeper makes again: so
 * what ends each worker that looks at it (an agent's output, a row) would end workers for ever. Then
 * the attempt fails as `SUPERVISOR_CRASHED`, which is retried later and spends the phase's budget.
 *
 * @param earlier ended attempts of the phase, oldest first
 * @param takeovers how often the open attempt's owner has died
 */
export function isCrashLoop(earlier: readonly AttemptFact[], takeovers: number): boolean {
  const since = earlier.slice(earlier.findLastIndex(({ state }) => state !== "interrupted") + 1);
  const before = since.reduce((sum, attempt) => sum + (attempt.takeovers ?? 0), 0);
  return before + takeovers > MAX_TAKEOVERS;
}
