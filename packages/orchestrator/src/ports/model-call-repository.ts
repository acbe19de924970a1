import type { JobName } from "./job-runtime.ts";
import type { ModelCall } from "./model-gateway.ts";

/** What a gateway in another process has recorded of an attempt. */
export interface RecordedCalls {
  /** In the order in which they were recorded. */
  readonly calls: readonly ModelCall[];
  /** Of the last one; the one that was asked for when there are none. */
  readonly lastId: number;
  /**
   * When its provider has last sent something, by the database's clock: to be compared with what was
   * told before, not with this machine's time. null: it was not heard yet.
   */
  readonly heardAt: Date | null;
}

/**
 * A worker's view of its attempts' model calls, where another process makes them.
 *
 * Faults of the store are thrown as SpeckitError `DATABASE_UNAVAILABLE`.
 */
export interface ModelCallRepository {
  /**
   * Calls recorded after the one of that id, at most 1 000. None, and not heard, for an attempt that
   * does not exist.
   *
   * @param afterId default 0: from the first
   */
  readonly callsOf: (attempt: JobName, afterId?: number) => Promise<RecordedCalls>;
}
