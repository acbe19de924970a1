import { inspect } from "node:util";

export interface EventuallyOptions {
  /** Default 30 000. */
  readonly withinMs?: number;
  /** Pause between two looks. Default 20. */
  readonly everyMs?: number;
}

/**
 * Looks again and again until what it sees `holds`, and resolves with that.
 *
 * @param what the promise being waited for, for the message
 * @param holds default: it is truthy
 * @throws Error with what was seen last, or the error the last look ended with
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean = Boolean,
  options: EventuallyOptions = {},
): Promise<T> {
  const withinMs = options.withinMs ?? 30_000;
  const deadline = performance.now() + withinMs;
  for (;;) {
    let last: string;
    let cause: unknown;
    try {
      const seen = await look();
      if (holds(seen)) {
        return seen;
      }
      last = `saw ${inspect(seen, { depth: 6, maxStringLength: 2_000 })}`;
    } catch (error) {
      last = `failed with ${error}`;
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Not within ${withinMs} ms: ${what}; the last look ${last}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 20));
  }
}
