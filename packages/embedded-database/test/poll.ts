import { setTimeout as pause } from "node:timers/promises";

/**
 * Waits until `look` answers something true; after `withinMs` throws with what it last answered.
 */
export async function poll<T>(
  what: string,
  look: () => T | Promise<T>,
  isDone: (seen: T) => boolean = Boolean,
  withinMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (isDone(seen)) return seen;
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${withinMs} ms; last seen: ${JSON.stringify(seen)}`);
    }
    await pause(10);
  }
}
