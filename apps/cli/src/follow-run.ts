import { setTimeout as delay } from "node:timers/promises";
import {
  type EventRecord,
  type Orchestrator,
  type RunRecord,
  SpeckitError,
} from "@speckit/orchestrator";

const POLL_MS = 150;

/**
 * A run's events from the first on, as they are written, until the run is closed or the signal
 * aborts. Reads rows, so it works from any machine and misses nothing.
 *
 * @param untilAsked stop also when the run waits for people; one whose time for that is over ends soon
 */
export async function* followRun(
  orchestrator: Orchestrator,
  runId: string,
  signal: AbortSignal,
  { untilAsked = false }: { readonly untilAsked?: boolean } = {},
): AsyncGenerator<EventRecord, RunRecord | undefined> {
  let afterSeq = 0;
  while (!signal.aborted) {
    // First the run, then its events: a run seen closed has no event that this read would miss.
    const run = await orchestrator.find(runId);
    if (run === undefined) {
      throw new SpeckitError("RUN_NOT_FOUND", `There is no run ${runId}`);
    }
    const events = await orchestrator.events(runId, { afterSeq });
    for (const event of events) {
      afterSeq = event.seq;
      yield event;
    }
    const waits = run.status === "needs_input" && !run.isDue;
    const isOver = run.cleanedAt !== null || (untilAsked && waits);
    if (isOver && events.length === 0) {
      return run;
    }
    if (events.length === 0) {
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
