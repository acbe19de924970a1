import type { CoolDownReason } from "./credential-repository.ts";
import type { EventRecord } from "./run-record.ts";

/** A worker counts as there when it was heard of within this time: several heartbeats. */
export const WORKER_HEARD_WITHIN_MS = 60_000;

/** What is around a run at one moment: why it is where it is, as far as its own rows do not say. */
export interface RunSurroundings {
  /** The store's clock: what the run's times are compared with. */
  readonly now: Date;
  /** Who has the run's lease, or had it when that ran out. */
  readonly owner: {
    readonly workerId: number;
    readonly hostname: string;
    readonly seenAt: Date;
  } | null;
  /** Workers of this deployment that were heard of lately, whatever they carry. */
  readonly workersSeen: number;
  /** Of a run that was never claimed: others of that kind that were stored before it. */
  readonly runsBefore: number;
  /** The credential the run has waited for last, while it rests. */
  readonly coolDown: {
    readonly credential: string;
    readonly until: Date;
    readonly reason: CoolDownReason;
  } | null;
  /** The engine that has the container of its running attempt. `seenAt` is null: no worker knows it. */
  readonly engine: { readonly engineId: string; readonly seenAt: Date | null } | null;
  /** What its agent said last, at most 3 messages, oldest first. */
  readonly lastMessages: readonly EventRecord[];
}

/** Faults of the store are thrown as SpeckitError `DATABASE_UNAVAILABLE`. */
export interface RunSurroundingsReader {
  /** @returns undefined when there is no such run */
  readonly surroundingsOf: (runId: string) => Promise<RunSurroundings | undefined>;
}
