/** Time and chance as the application sees them: replaceable, so that a simulation can own both. */
export interface Clock {
  /** Milliseconds of a clock that never jumps; only differences mean anything. */
  readonly monotonicMs: () => number;
  /** The wall clock, for labels only: nothing is decided by it. */
  readonly now: () => Date;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}
