/** Something that carries no-op runs, seen from a client. */
export interface Subject extends AsyncDisposable {
  /** The process that carries them; in process it is their client too. */
  readonly pid: number;
  /** Submits a run and resolves when its client has been told that it has succeeded. */
  readonly carry: () => Promise<{ readonly runId: string }>;
  /** Resolves when the run's cleanup is told: nothing much of it is left to do. */
  readonly untilClosed: (runId: string) => Promise<void>;
}
