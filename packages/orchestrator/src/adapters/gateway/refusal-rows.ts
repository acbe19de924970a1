import type { ModelCall } from "../../ports/model-gateway.ts";

/** Of one attempt and code. Agents that mean well give up after some thirty. */
const MAX_ROWS = 100;

/** Whether a call becomes a row of its attempt. */
export type RefusalRows = (
  attempt: object,
  call: Pick<ModelCall, "outcome" | "errorCode">,
) => boolean;

/**
 * Keeps an agent from filling the store with calls that cost it nothing: of those that were refused for
 * the same reason the first hundred become rows. A reason that is new does always: a worker learns from it
 * that a limit is reached.
 */
export function refusalRows(): RefusalRows {
  const rows = new WeakMap<object, Map<string | null, number>>();
  return (attempt, { outcome, errorCode }) => {
    if (outcome !== "refused") {
      return true;
    }
    const mine = rows.get(attempt) ?? new Map<string | null, number>();
    rows.set(attempt, mine);
    const before = mine.get(errorCode) ?? 0;
    mine.set(errorCode, before + 1);
    return before < MAX_ROWS;
  };
}
