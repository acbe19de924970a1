/**
 * Lets few through at once: readers share the database's connections with the worker's own work, which
 * must not wait for them.
 */
export interface Turnstile {
  /** Waits for its turn. @returns undefined, without having run it, when too many wait already */
  readonly pass: <T>(work: () => Promise<T>) => Promise<T | undefined>;
}

export function turnstile(atOnce: number, mostWaiting: number): Turnstile {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return {
    async pass(work) {
      if (inside >= atOnce) {
        if (waiting.length >= mostWaiting) {
          return undefined;
        }
        // Whoever leaves hands its place on.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else {
        inside += 1;
      }
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) {
          inside -= 1;
        } else {
          next();
        }
      }
    },
  };
}
