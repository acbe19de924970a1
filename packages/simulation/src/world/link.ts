import type { Random } from "./random.ts";
import type { Actor, Scheduler } from "./scheduler.ts";

/** What a process talks to. `local` is its own machine: it cannot be cut off from that. */
export type Service = "database" | "broker" | "git" | "local";

/** What is to become of a process's next call of a service. */
export type Fate = "lost_before" | "lost_after" | "slow";

/** A process as its links see it. */
export interface Caller extends Actor {
  /** Used up by the next call. */
  readonly fates: Map<Service, Fate>;
}

export interface Link {
  /**
   * A call that takes its time: the request travels, has its effect in one go, and the answer
   * travels back. Each may be lost or late. A dead caller gets no answer; whether its last requests
   * still arrive is chance.
   */
  readonly call: <T>(
    label: string,
    effect: () => Promise<T>,
    lostWith: () => unknown,
    /** Longest time this one usually takes more, in milliseconds. */
    moreMs?: number,
  ) => Promise<T>;
  /** The same without an answer. */
  readonly send: (label: string, effect: () => void) => void;
}

export interface LinkOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly caller: Caller;
  readonly service: Service;
  /** Longest time a request or an answer usually takes, in milliseconds. */
  readonly usuallyMs: number;
  /** Longest time until a lost call is noticed. */
  readonly noticedMs: number;
  readonly isReachable: () => boolean;
  /** Told in the step in which a call has its effect. */
  readonly onEffect?: ((label: string) => void) | undefined;
}

export function link(options: LinkOptions): Link {
  const { scheduler, random, caller, service, usuallyMs, noticedMs, isReachable } = options;
  /** What a process does on its own machine dies and freezes with it. */
  const doer = service === "local" ? caller : undefined;
  /** How often the answer is there in the step of the effect: nothing comes in between. */
  const atOnce = service === "local" ? 0.8 : 0.4;

  function travelMs(): number {
    return random.chance(0.02) ? random.between(0, usuallyMs * 40) : random.between(0, usuallyMs);
  }

  function arrives(): boolean {
    return isReachable() && (caller.isAlive || random.chance(0.5));
  }

  return {
    call: (label, effect, lostWith, moreMs = 0) =>
      new Promise((resolve, reject) => {
        if (!caller.isAlive) {
          return;
        }
        const fate = caller.fates.get(service);
        caller.fates.delete(service);
        const lose = (): void => {
          scheduler.after(random.between(1, noticedMs), `${label}: lost`, caller, () =>
            reject(lostWith()),
          );
        };
        const answer = (settle: () => void): void => {
          if (fate === "lost_after" || !isReachable()) {
            lose();
            return;
          }
          const isThere = caller.isAlive && caller.frozenUntilMs <= scheduler.nowMs();
          if (isThere && random.chance(atOnce)) {
            settle();
            return;
          }
          scheduler.after(travelMs(), `${label}: answered`, caller, settle);
        };
        if (!isReachable()) {
          lose();
          return;
        }
        const usualMs = travelMs() + (moreMs > 0 ? random.between(0, moreMs) : 0);
        const requestMs = fate === "slow" ? random.between(usuallyMs, 60_000) : usualMs;
        scheduler.after(requestMs, label, doer, () => {
          if (!arrives() || fate === "lost_before") {
            lose();
            return;
          }
          options.onEffect?.(label);
          effect().then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          );
        });
      }),
    send(label, effect) {
      if (!caller.isAlive) {
        return;
      }
      scheduler.after(travelMs(), label, doer, () => {
        if (arrives()) {
          options.onEffect?.(label);
          effect();
        }
      });
    },
  };
}
