import type { WakeUp } from "../../contract/wake-up.ts";

interface Waiting {
  readonly queue: "start" | "work";
  readonly wakeUp: WakeUp;
}

export interface MemoryQueues {
  /** Wake-ups that nobody has taken yet. */
  readonly waiting: (queue: Waiting["queue"]) => number;
  readonly add: (queue: Waiting["queue"], wakeUp: WakeUp) => void;
  /**
   * Hands wake-ups to `handle`, at most `slots` at once and `work` before `start`. Returns its end:
   * nothing new is handed out, and it resolves when everything in hand is done.
   */
  readonly consume: (
    slots: number,
    handle: (waiting: Waiting) => Promise<void>,
  ) => () => Promise<void>;
}

export function memoryQueues(): MemoryQueues {
  const queues: Readonly<Record<Waiting["queue"], WakeUp[]>> = { work: [], start: [] };
  const consumers = new Set<() => void>();

  function take(): Waiting | undefined {
    for (const queue of ["work", "start"] as const) {
      const wakeUp = queues[queue].shift();
      if (wakeUp !== undefined) {
        return { queue, wakeUp };
      }
    }
    return undefined;
  }

  return {
    waiting: (queue) => queues[queue].length,
    add(queue, wakeUp) {
      queues[queue].push(wakeUp);
      for (const fill of consumers) {
        fill();
      }
    },
    consume(slots, handle) {
      const running = new Set<Promise<void>>();
      const fill = () => {
        while (consumers.has(fill) && running.size < slots) {
          const waiting = take();
          if (waiting === undefined) {
            return;
          }
          const run = handle(waiting).finally(() => {
            running.delete(run);
            fill();
          });
          running.add(run);
        }
      };
      consumers.add(fill);
      fill();
      return async () => {
        consumers.delete(fill);
        await Promise.all(running);
      };
    },
  };
}
