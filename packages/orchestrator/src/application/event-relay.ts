import type { CloudEvent } from "../contract/run-event.ts";
import { OUTCOMES } from "../domain/run-state.ts";
import type { ReachFailpoint } from "../ports/failpoints.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { EventRecord } from "../ports/run-record.ts";
import type { RunRepository } from "../ports/run-repository.ts";
import type { Transport } from "../ports/transport.ts";
import { readRunResult } from "./read-run-result.ts";

const BATCH = 100;
const ENDING = new Set<string>(OUTCOMES.map((outcome) => `run.${outcome}`));

/**
 * Sends a run's events in sequence. The event table is the outbox: an event is sent, confirmed, and
 * only then the watermark moves over it. A crash in between sends it again under the same id, so
 * consumers see each event at least once, in order of first sight, and know repeats by the id.
 * Usually the run's owner sends; the sweeper sends what a dead owner left.
 */
export interface EventRelay {
  /** Sends soon, in the background. Many calls at once are one. */
  readonly kick: (runId: string) => void;
  /** Resolves when everything there was at the call has been confirmed. Rejects when it cannot be sent. */
  readonly drain: (runId: string) => Promise<void>;
  /** Resolves when nothing is being sent any more. Never rejects. */
  readonly settle: () => Promise<void>;
}

export interface EventRelayDependencies {
  readonly runs: RunRepository;
  readonly transport: Transport;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
  readonly deploymentId: string;
  readonly reach?: ReachFailpoint | undefined;
}

export function eventRelay(deps: EventRelayDependencies): EventRelay {
  /** Runs being sent now; `again` when something was added meanwhile. */
  const sending = new Map<string, { again: boolean; done: Promise<void> }>();

  const start = (runId: string): Promise<void> => {
    const entry = { again: false, done: Promise.resolve() };
    sending.set(runId, entry);
    entry.done = (async () => {
      try {
        do {
          entry.again = false;
          await sendAll(deps, runId);
        } while (entry.again);
      } finally {
        sending.delete(runId);
      }
    })();
    return entry.done;
  };

  const drain = (runId: string): Promise<void> => {
    const entry = sending.get(runId);
    if (entry === undefined) {
      return start(runId);
    }
    entry.again = true;
    return entry.done;
  };

  return {
    kick(runId) {
      drain(runId).catch((error: unknown) => {
        deps.logger.warn("events not sent yet", { runId, error: String(error) });
      });
    },
    drain,
    async settle() {
      await Promise.allSettled([...sending.values()].map((entry) => entry.done));
    },
  };
}

async function sendAll(deps: EventRelayDependencies, runId: string): Promise<void> {
  for (;;) {
    const events = await deps.runs.unsentEvents(runId, BATCH);
    const last = events.at(-1);
    if (last === undefined) {
      return;
    }
    for (const event of events) {
      await deps.transport.publishEvent(cloudEventOf(event, deps.deploymentId));
      if (ENDING.has(event.type)) {
        await reply(deps, runId);
      }
    }
    await deps.reach?.("event.published", { runId });
    deps.metrics?.count("events_sent", {}, events.length);
    await deps.runs.markEventsSent(runId, last.seq);
    if (events.length < BATCH) {
      return; // Whoever has written more meanwhile has kicked again.
    }
  }
}

async function reply(deps: EventRelayDependencies, runId: string): Promise<void> {
  const run = await deps.runs.findRun(runId);
  if (run?.replyTo) {
    const result = await readRunResult(deps, runId);
    await deps.transport.publishReply(run.replyTo, run.correlationId ?? undefined, result);
  }
}

export function cloudEventOf(event: EventRecord, deploymentId: string): CloudEvent {
  return {
    specversion: "1.0",
    id: `${event.runId}/${event.seq}`,
    source: `/speckit/${deploymentId}`,
    type: `speckit.${event.type}`,
    subject: event.runId,
    time: event.createdAt.toISOString(),
    datacontenttype: "application/json",
    data: {
      runId: event.runId,
      seq: event.seq,
      ...(event.phase === null ? {} : { phase: event.phase }),
      ...(event.attempt === null ? {} : { attempt: event.attempt }),
      ...event.data,
    },
  };
}
