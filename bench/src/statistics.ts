/** Samples of one measure, in order of time, and what is told of them. */
export interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export function summaryOf(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((left, right) => left - right);
  return {
    count: sorted.length,
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
    max: percentile(sorted, 100),
  };
}

/** The nearest rank: a value that was measured, never one in between. */
function percentile(sorted: readonly number[], percent: number): number {
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}

/** Milliseconds a piece of work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** How often something is measured: so many times, or for so long, whatever comes first. */
export interface Budget {
  readonly times: number;
  readonly ms: number;
}

/**
 * Measures one after the other within a budget, at least once.
 *
 * @param sample resolves with a number, usually of milliseconds
 */
export async function sampled(
  budget: Budget,
  sample: () => Promise<number>,
): Promise<readonly number[]> {
  const untilMs = performance.now() + budget.ms;
  const samples: number[] = [];
  do {
    samples.push(await sample());
  } while (samples.length < budget.times && performance.now() < untilMs);
  return samples;
}
