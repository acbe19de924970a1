import type { WakeUp } from "../../contract/wake-up.ts";
import type { Consumption } from "../../ports/transport.ts";

interface Waiting {
  readonly queue: "start" | "work";
  readonly wakeUp: WakeUp;
}

export interface MemoryQueues {
  /** Wake-ups that nobody has taken yet. */
  readonly waiting: (queue: Waiting["queue"]) => number;
  readonly add: (queue: Waiting["queue"], wakeUp: WakeUp) => void;
  /**
   * Hands wake-ups to `handle`, at most `slots` at once and `work` before `start`. At its end nothing
   * new is handed out, and it resolves when everything in hand is done.
   */
  readonly consume: (slots: number, handle: (waiting: Waiting) => Promise<void>) => Consumption;
}

export function memoryQueues(): MemoryQueues {
  const queues: Readonly<Record<Waiting["queue"], WakeUp[]>> = { work: [], start: [] };
  const consumers = new Set<() => void>();

  function take(from: readonly Waiting["queue"][]): Waiting | undefined {
    for (const queue of from) {
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
      let from: readonly Waiting["queue"][] = ["work", "start"];
      const fill = () => {
        while (consumers.has(fill) && running.size < slots) {
          const waiting = take(from);
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
      return {
        takeNew(isWanted) {
          from = isWanted ? ["work", "start"] : ["work"];
          fill();
        },
        async stop() {
          consumers.delete(fill);
          await Promise.all(running);
        },
      };
    },
  };
}
