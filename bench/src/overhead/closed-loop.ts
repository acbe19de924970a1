import { type Summary, summaryOf } from "../statistics.ts";

export interface LoopResult {
  /** Of what was complete in time. */
  readonly perSecond: number;
  /** Milliseconds of each, in order of their ends. */
  readonly samples: readonly number[];
  readonly latency: Summary;
}

/**
 * Keeps so many under way: each that ends is followed by another, until the time is over and the
 * last ones have ended. Not for latency under a given load: who waits here submits nothing.
 */
export async function closedLoop(
  { inFlight, forMs }: { readonly inFlight: number; readonly forMs: number },
  work: () => Promise<unknown>,
): Promise<LoopResult> {
  const startedMs = performance.now();
  const untilMs = startedMs + forMs;
  const samples: number[] = [];
  let inTime = 0;
  const one = async (): Promise<void> => {
    do {
      const beganMs = performance.now();
      await work();
      const endedMs = performance.now();
      samples.push(endedMs - beganMs);
      inTime += endedMs <= untilMs ? 1 : 0;
    } while (performance.now() < untilMs);
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  // When nothing was complete in time, the time all of it took is the best there is.
  const [count, overMs] =
    inTime > 0 ? [inTime, forMs] : [samples.length, performance.now() - startedMs];
  return { perSecond: (count * 1_000) / overMs, samples, latency: summaryOf(samples) };
}
