/** Time for what happens by itself: delays, deadlines, the work of an agent. */
export interface Timers {
  /** Milliseconds that never jump; only differences mean anything. */
  readonly nowMs: () => number;
  /** Calls back once, later. @returns forgets it */
  readonly after: (ms: number, what: () => void) => () => void;
}

/** Real time. Keeps no process alive. */
export const realTimers: Timers = {
  nowMs: () => performance.now(),
  after(ms, what) {
    const timer = setTimeout(what, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
