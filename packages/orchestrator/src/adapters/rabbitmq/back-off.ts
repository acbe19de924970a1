const FIRST_MS = 100;
const LONGEST_MS = 10_000;

/** Pause before the next try, in milliseconds: doubles with each failure up to 10 s, spread by ± 20 %. */
export function backOffMs(failures: number): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return Math.round(base * (0.8 + 0.4 * Math.random()));
}

/** Resolves after `ms`, or at once when the signal aborts. Does not keep the process alive. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    timer.unref();
    signal?.addEventListener("abort", end);
  });
}
