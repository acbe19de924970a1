import { runNotFound } from "../domain/speckit-error.ts";
import type { EventRecord, RunRecord } from "../ports/run-record.ts";
import type { Dependencies } from "./dependencies.ts";
import { untilAvailable } from "./until-available.ts";

const POLL_MS = 150;
const PAGE = 500;

export interface FollowOptions {
  /** Sequence number of the last event that is known already. Default 0: from the first on. */
  readonly afterSeq?: number;
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Stop also when the run waits for people; one whose time for that is over ends soon. */
  readonly untilAsked?: boolean;
  /** Told once for each time the database stops answering; it is asked again until it does. */
  readonly onDatabaseAway?: (reason: unknown) => void;
}

/**
 * A run's events as they are written, each once and in order, until the run is closed or the signal
 * aborts. Reads rows alone: it works from any machine, whoever carries the run, and neither a worker's
 * end nor the broker's or the database's makes it miss or repeat one.
 *
 * @returns the run as it was last seen, undefined when the signal ended it
 * @throws SpeckitError `RUN_NOT_FOUND`; `DATABASE_UNAVAILABLE` when it aborts while the database is away
 */
export async function* followRun(
  deps: Pick<Dependencies, "runs" | "clock" | "logger">,
  runId: string,
  { afterSeq = 0, signal, untilAsked = false, onDatabaseAway }: FollowOptions,
): AsyncGenerator<EventRecord, RunRecord | undefined> {
  let lastSeq = afterSeq;
  while (!signal.aborted) {
    let isAway = false;
    const read = async () => {
      // First the run, then its events: a run seen closed has no event that this read would miss.
      const run = await deps.runs.findRun(runId);
      const events = await deps.runs.eventsOf(runId, { afterSeq: lastSeq, limit: PAGE });
      return { run, events };
    };
    const { run, events } = await untilAvailable(deps, signal, read, (reason) => {
      if (!isAway) {
        isAway = true;
        onDatabaseAway?.(reason);
      }
    });
    if (run === undefined) {
      throw runNotFound(runId);
    }
    for (const event of events) {
      lastSeq = event.seq;
      yield event;
    }
    const waits = run.status === "needs_input" && !run.isDue;
    const isOver = run.cleanedAt !== null || (untilAsked && waits);
    if (isOver && events.length === 0) {
      return run;
    }
    if (events.length === 0) {
      await deps.clock.sleep(POLL_MS, signal);
    }
  }
  return undefined;
}
