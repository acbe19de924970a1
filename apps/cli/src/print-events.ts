import {
  type EventRecord,
  type ExitCode,
  type Orchestrator,
  runNotFound,
} from "@speckit/orchestrator";
import { tellWaiting } from "./output/tell-waiting.ts";
import { visible } from "./output/visible.ts";

const PAGE = 500;

export interface PrintEventsOptions {
  /** Go on as they are written, until the run is over. */
  readonly follow?: boolean;
  /** Leave out those up to this sequence number: who has seen them goes on from there. */
  readonly after?: number;
}

/**
 * Prints a run's events in their order.
 *
 * @returns 130 when Ctrl-C ended the following
 */
export async function printEvents(
  orchestrator: Orchestrator,
  runId: string,
  { follow = false, after = 0 }: PrintEventsOptions,
  print: (event: EventRecord) => void,
): Promise<ExitCode> {
  if ((await orchestrator.find(runId)) === undefined) {
    throw runNotFound(runId);
  }
  if (follow) {
    const interrupted = new AbortController();
    process.once("SIGINT", () => interrupted.abort());
    const options = { afterSeq: after, signal: interrupted.signal, onDatabaseAway: tellWaiting };
    try {
      for await (const event of orchestrator.follow(runId, options)) {
        print(event);
      }
    } catch (error) {
      if (!interrupted.signal.aborted) {
        throw error;
      }
    }
    return interrupted.signal.aborted ? 130 : 0;
  }
  for (let afterSeq = after; ; ) {
    const events = await orchestrator.events(runId, { afterSeq, limit: PAGE });
    events.forEach(print);
    afterSeq = events.at(-1)?.seq ?? afterSeq;
    if (events.length < PAGE) {
      return 0;
    }
  }
}

/** An event in one line, for people. */
export function eventLine(event: EventRecord): string {
  const time = event.createdAt.toISOString().slice(11, 23);
  const parts = [event.phase, event.attempt].filter((part) => part !== null);
  const where = parts.length === 0 ? "" : ` ${parts.join("-")}`;
  const { text, ...rest } = event.data;
  const said =
    typeof text === "string" ? text : Object.keys(rest).length > 0 ? JSON.stringify(rest) : "";
  return visible(`${time} ${event.type}${where} ${said}`.trimEnd());
}
