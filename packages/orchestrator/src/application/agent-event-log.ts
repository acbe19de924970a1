import type { Usage } from "../contract/run-result.ts";
import type { AgentPhase } from "../domain/phase.ts";
import type { AgentEvent } from "../ports/agent-backend.ts";
import type { NewEvent } from "../ports/attempt-commit.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { RunRepository } from "../ports/run-repository.ts";
import { lastMessage } from "./last-message.ts";
import type { HeldLease } from "./lease-keeper.ts";
import { orLost, whileHeld } from "./while-held.ts";

/** Agent events kept per attempt; what comes after is counted and told in one warning. */
const MAX_EVENTS = 1_000;
/** Longest text of one agent event, in characters. */
const MAX_TEXT = 16_000;
/** How long an event may wait to be written with its neighbours. */
const FLUSH_MS = 250;

/**
 * Writes an agent's events as rows while it works, so that a run can be followed from anywhere. A
 * database that is away for a moment delays them; they are not worth failing a phase for.
 */
export interface AgentEventLog {
  readonly add: (events: readonly AgentEvent[]) => void;
  /** Something of ours about the agent, among its own events. */
  readonly note: (event: Pick<NewEvent, "type" | "data">) => void;
  /** Writes what is left, for as long as the lease can be trusted; then nothing more. Never rejects. */
  readonly close: () => Promise<void>;
  /** Sum of the usage events, undefined when there was none. */
  readonly usage: () => Usage | undefined;
  /** What the agent said last, empty when it has said nothing. */
  readonly lastMessage: () => string;
}

export function agentEventLog(deps: {
  readonly runs: RunRepository;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lease: Pick<HeldLease, "hold" | "lost">;
  readonly phase: AgentPhase;
  readonly attempt: number;
  readonly onWritten: () => void;
  /**
   * What an earlier owner has written of this attempt, besides its start: the agent's output is read
   * from its first byte again, and says the same again. Default nothing.
   */
  readonly before?: { readonly notes: number; readonly events: number } | undefined;
}): AgentEventLog {
  const { runs, clock, logger, lease, phase, attempt, before = { notes: 0, events: 0 } } = deps;
  const closing = new AbortController();
  const said = lastMessage();
  let pending: NewEvent[] = [];
  let taken = 0;
  let written = before.notes + before.events;
  /** The answer to a write was lost: it may have happened. */
  let isUncertain = false;
  let usage: Usage | undefined;
  let flushing: Promise<void> | undefined;

  const write = async (): Promise<void> => {
    if (isUncertain) {
      const there = await eventsWritten(runs, lease.hold.runId, { phase, attempt });
      pending = pending.slice(there - written);
      written = there;
      isUncertain = false;
    }
    // A copy: more may be added while it is written.
    const batch = [...pending];
    if (batch.length === 0) {
      return;
    }
    isUncertain = true;
    await runs.appendEvents(lease.hold, batch);
    isUncertain = false;
    written += batch.length;
    pending = pending.slice(batch.length);
    deps.onWritten();
  };

  const writeSoon = (): void => {
    flushing ??= clock
      .sleep(FLUSH_MS, closing.signal)
      .then(write)
      // Fenced: the lease's own watch ends the attempt. Anything else: the next one tries again.
      .catch((error: unknown) => logger.warn("agent events not written yet", { error: `${error}` }))
      .finally(() => {
        flushing = undefined;
        // What came while it was written, or could not be.
        if (pending.length > 0 && !closing.signal.aborted) {
          writeSoon();
        }
      });
  };

  return {
    add(events) {
      for (const event of events) {
        if (event.type === "usage") {
          usage = addUsage(usage, event);
        }
        said.add(event);
        taken += 1;
        if (taken > before.events && taken <= MAX_EVENTS) {
          pending.push(rowOf(event, phase, attempt));
        }
      }
      if (pending.length > 0) {
        writeSoon();
      }
    },
    note(event) {
      pending.push({ ...event, phase, attempt });
      writeSoon();
    },
    async close() {
      closing.abort();
      if (taken > MAX_EVENTS && before.events <= MAX_EVENTS) {
        const text = `${taken - MAX_EVENTS} more agent events were not kept; stdout.log has them`;
        pending.push(rowOf({ type: "warning", text }, phase, attempt));
      }
      try {
        await orLost(lease, flushing ?? Promise.resolve());
        await whileHeld(deps, lease, write);
      } catch (error) {
        const events = pending.length;
        logger.warn("the last agent events are not written", { events, error: `${error}` });
      }
    },
    usage: () => usage,
    lastMessage: said.text,
  };
}

/** How many events of an attempt are in the table, besides its start. */
export async function eventsWritten(
  runs: RunRepository,
  runId: string,
  of: { readonly phase: AgentPhase; readonly attempt: number },
): Promise<number> {
  let count = 0;
  for (let afterSeq = 0; ; ) {
    const page = await runs.eventsOf(runId, { afterSeq, limit: 1_000 });
    count += page.filter(
      ({ type, phase, attempt }) =>
        type !== "phase.started" && phase === of.phase && attempt === of.attempt,
    ).length;
    const last = page.at(-1);
    if (last === undefined) {
      return count;
    }
    afterSeq = last.seq;
  }
}

function rowOf(event: AgentEvent, phase: AgentPhase, attempt: number): NewEvent {
  const { type, ...rest } = event;
  const data = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      typeof value === "string" ? value.slice(0, MAX_TEXT) : value,
    ]),
  );
  return { type: `phase.${type}`, phase, attempt, data };
}

function addUsage(sum: Usage | undefined, more: Usage): Usage {
  const { inputTokens, cachedInputTokens, outputTokens, costUsd } = more;
  if (sum === undefined) {
    return { inputTokens, cachedInputTokens, outputTokens, costUsd };
  }
  return {
    inputTokens: sum.inputTokens + inputTokens,
    cachedInputTokens: sum.cachedInputTokens + cachedInputTokens,
    outputTokens: sum.outputTokens + outputTokens,
    costUsd: sum.costUsd === null || costUsd === null ? null : sum.costUsd + costUsd,
  };
}
