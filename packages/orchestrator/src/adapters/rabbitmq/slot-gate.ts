export type WakeUpQueue = "work" | "start";

/** Somebody who waits for a slot. */
export interface Waiting {
  /** Gives the place up; false if the slot was granted already. */
  readonly leave: () => boolean;
}

export interface SlotGate {
  /** Runs the job as soon as a slot is free: those of `work` before those of `start`, else in order. */
  readonly enter: (queue: WakeUpQueue, job: () => Promise<void>) => Waiting;
  /** Slots that neither run a job nor are spoken for by one that waits. */
  readonly free: () => number;
  /** Starts nothing more; resolves when the jobs that run have ended. Those that wait are forgotten. */
  readonly close: () => Promise<void>;
}

/**
 * Lets at most `slots` jobs run at once.
 *
 * @param onChange called after each change of `free`
 */
export function slotGate(slots: number, onChange: () => void): SlotGate {
  const running = new Set<Promise<void>>();
  const waiting: {
    readonly work: (() => Promise<void>)[];
    readonly start: (() => Promise<void>)[];
  } = { work: [], start: [] };
  let isClosed = false;

  function fill(): void {
    while (!isClosed && running.size < slots) {
      const job = waiting.work.shift() ?? waiting.start.shift();
      if (job === undefined) {
        break;
      }
      const run = job().finally(() => {
        running.delete(run);
        fill();
      });
      running.add(run);
    }
    onChange();
  }

  return {
    enter(queue, job) {
      waiting[queue].push(job);
      fill();
      return {
        leave() {
          const place = waiting[queue].indexOf(job);
          if (place < 0) {
            return false;
          }
          waiting[queue].splice(place, 1);
          onChange();
          return true;
        },
      };
    },
    free: () => Math.max(0, slots - running.size - waiting.work.length - waiting.start.length),
    async close() {
      isClosed = true;
      waiting.work.length = 0;
      waiting.start.length = 0;
      await Promise.all(running);
    },
  };
}
