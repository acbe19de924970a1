import type { Clock } from "../ports/clock.ts";

/** How long the store's last answer speaks for it: as long as a gateway goes by its word. */
const REACHED_WITHIN_MS = 45_000;
/** When nobody has asked for so long, this does: a gateway without attempts asks nothing. */
const ASK_AFTER_MS = 15_000;

/**
 * Whether a store has answered within 45 s, its newest answer asked for when it is older than 15 s.
 *
 * @param ask rejects when no answer comes
 * @param answeredAgoMs when others have heard it last; infinite: never
 * @returns never rejects
 */
export function storeReach(options: {
  readonly ask: () => Promise<unknown>;
  readonly answeredAgoMs: () => number;
  readonly clock: Pick<Clock, "monotonicMs">;
}): () => Promise<boolean> {
  const { ask, answeredAgoMs, clock } = options;
  let heardMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  const agoMs = (): number => Math.min(clock.monotonicMs() - heardMs, answeredAgoMs());
  const look = async (): Promise<void> => {
    const askedMs = clock.monotonicMs();
    try {
      await ask();
      heardMs = askedMs;
    } catch {
      // How long ago the last answer was is what is told.
    } finally {
      asking = undefined;
    }
  };
  return async () => {
    if (agoMs() > ASK_AFTER_MS) {
      asking ??= look();
      await asking;
    }
    return agoMs() <= REACHED_WITHIN_MS;
  };
}
