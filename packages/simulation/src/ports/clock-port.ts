import type { Clock } from "@speckit/orchestrator";
import type { Random } from "../world/random.ts";
import type { Actor, Scheduler } from "../world/scheduler.ts";
import { EPOCH_MS } from "../world/services.ts";

/** Virtual time as one process sees it; its wall clock is wrong by its skew. */
export function clockPort(
  { scheduler }: { readonly scheduler: Scheduler },
  owner: Actor & { readonly skewMs: number },
  random: Random,
): Clock {
  return {
    monotonicMs: scheduler.nowMs,
    now: () => new Date(EPOCH_MS + scheduler.nowMs() + owner.skewMs),
    random: random.next,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve();
          return;
        }
        const wake = (): void => {
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        const callOff = scheduler.after(ms, "slept", owner, wake);
        const abort = (): void => {
          callOff();
          resolve();
        };
        signal?.addEventListener("abort", abort, { once: true });
      }),
  };
}
