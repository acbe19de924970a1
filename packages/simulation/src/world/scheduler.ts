import type { Random } from "./random.ts";

/** A process that steps can belong to: dead ones take none, frozen ones take them when they thaw. */
export interface Actor {
  readonly name: string;
  isAlive: boolean;
  frozenUntilMs: number;
}

interface Step {
  readonly atMs: number;
  readonly tie: number;
  readonly label: string;
  readonly actor: Actor | undefined;
  /** undefined: called off. */
  run: (() => void) | undefined;
}

export interface Scheduler {
  readonly nowMs: () => number;
  /** How many steps were taken. */
  readonly steps: () => number;
  /**
   * Something that will happen once, `afterMs` from now. Of what happens at one moment chance makes
   * the order. @returns calls it off
   */
  readonly after: (
    afterMs: number,
    label: string,
    actor: Actor | undefined,
    run: () => void,
  ) => () => void;
  /**
   * Takes step after step until `goesOn` says no or nothing is left. Before each it is asked
   * again, when everything that the last step has set off has come to rest.
   */
  readonly drive: (goesOn: () => boolean) => Promise<void>;
}

/**
 * Owns time. There is no timer and no I/O below it: between two steps only microtasks run, and all
 * of them have run before the next step is taken (`setImmediate` comes after the last of them).
 */
export function scheduler(random: Random, trace: ((line: string) => void) | undefined): Scheduler {
  const heap: Step[] = [];
  let nowMs = 0;
  let steps = 0;

  function takeOne(): void {
    const step = pop(heap);
    if (step?.run === undefined) {
      return;
    }
    nowMs = Math.max(nowMs, step.atMs);
    const { actor } = step;
    if (actor !== undefined) {
      if (!actor.isAlive) {
        return;
      }
      if (actor.frozenUntilMs > nowMs) {
        push(heap, { ...step, atMs: actor.frozenUntilMs });
        return;
      }
    }
    steps += 1;
    trace?.(`${(nowMs / 1_000).toFixed(3).padStart(9)} ${actor?.name ?? "·"} ${step.label}`);
    step.run();
  }

  return {
    nowMs: () => nowMs,
    steps: () => steps,
    after(afterMs, label, actor, run) {
      const step = { atMs: nowMs + Math.max(0, afterMs), tie: random.next(), label, actor, run };
      push(heap, step);
      return () => {
        (step as Step).run = undefined;
      };
    },
    drive: (goesOn) =>
      new Promise((resolve, reject) => {
        const turn = (): void => {
          try {
            if (!goesOn() || heap.length === 0) {
              resolve();
              return;
            }
            const before = steps;
            while (steps === before && heap.length > 0) {
              takeOne();
            }
          } catch (error) {
            reject(error);
            return;
          }
          setImmediate(turn);
        };
        setImmediate(turn);
      }),
  };
}

function isBefore(a: Step, b: Step): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);
}

function push(heap: Step[], step: Step): void {
  let ix = heap.length;
  heap.push(step);
  while (ix > 0) {
    const parentIx = (ix - 1) >> 1;
    const parent = heap[parentIx] as Step;
    if (!isBefore(step, parent)) {
      break;
    }
    heap[ix] = parent;
    ix = parentIx;
  }
  heap[ix] = step;
}

function pop(heap: Step[]): Step | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) {
    return first;
  }
  let ix = 0;
  for (;;) {
    const leftIx = 2 * ix + 1;
    if (leftIx >= heap.length) {
      break;
    }
    const rightIx = leftIx + 1;
    const left = heap[leftIx] as Step;
    const right = heap[rightIx];
    const childIx = right !== undefined && isBefore(right, left) ? rightIx : leftIx;
    const child = heap[childIx] as Step;
    if (!isBefore(child, last)) {
      break;
    }
    heap[ix] = child;
    ix = childIx;
  }
  heap[ix] = last;
  return first;
}
