import type { Clock } from "../../src/ports/clock.ts";
import type { Timers } from "../../src/testing/memory/index.ts";

/** Time that passes only when it is told to. */
export function handTimers(): Timers &
  Pick<Clock, "sleep"> & { readonly pass: (ms: number) => Promise<void> } {
  let nowMs = 0;
  const waiting = new Set<{ readonly atMs: number; readonly what: () => void }>();
  const after: Timers["after"] = (ms, what) => {
    const entry = { atMs: nowMs + ms, what };
    waiting.add(entry);
    return () => void waiting.delete(entry);
  };
  return {
    nowMs: () => nowMs,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const forget = after(ms, resolve);
        signal?.addEventListener("abort", () => {
          forget();
          resolve();
        });
      }),
    async pass(ms) {
      nowMs += ms;
      for (const entry of [...waiting].sort((a, b) => a.atMs - b.atMs)) {
        if (entry.atMs <= nowMs && waiting.delete(entry)) {
          entry.what();
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
