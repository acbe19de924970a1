import type { Usage } from "../contract/run-result.ts";
import type { AgentPhase } from "../domain/phase.ts";
import { isSpeckitError } from "../domain/speckit-error.ts";
import type { AgentEvent } from "../ports/agent-backend.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Hold, NewEvent, RunRepository } from "../ports/run-repository.ts";

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
  /** Writes what is left. @throws SpeckitError `RUN_FENCED` */
  readonly close: () => Promise<void>;
  /** Sum of the usage events, undefined when there was none. */
  readonly usage: () => Usage | undefined;
}

export function agentEventLog(deps: {
  readonly runs: RunRepository;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hold: Hold;
  readonly phase: AgentPhase;
  readonly attempt: number;
  readonly onWritten: () => void;
}): AgentEventLog {
  let pending: NewEvent[] = [];
  let taken = 0;
  let usage: Usage | undefined;
  let flushing: Promise<void> | undefined;

  const write = async (): Promise<void> => {
    const batch = pending;
    pending = [];
    if (batch.length === 0) {
      return;
    }
    try {
      await deps.runs.appendEvents(deps.hold, batch);
      deps.onWritten();
    } catch (error) {
      if (isSpeckitError(error) && error.code === "RUN_FENCED") {
        throw error;
      }
      pending = [...batch, ...pending].slice(0, MAX_EVENTS);
      deps.logger.warn("agent events not written yet", { error: String(error) });
    }
  };

  const writeSoon = (): void => {
    flushing ??= deps.clock
      .sleep(FLUSH_MS)
      .then(write)
      // Fenced: the lease's own watch ends the attempt, and close() says it again.
      .catch(() => undefined)
      .finally(() => {
        flushing = undefined;
      });
  };

  return {
    add(events) {
      for (const event of events) {
        if (event.type === "usage") {
          usage = addUsage(usage, event);
        }
        taken += 1;
        if (taken <= MAX_EVENTS) {
          pending.push(rowOf(event, deps.phase, deps.attempt));
        }
      }
      if (pending.length > 0) {
        writeSoon();
      }
    },
    async close() {
      await flushing;
      if (taken > MAX_EVENTS) {
        const text = `${taken - MAX_EVENTS} more agent events were not kept; stdout.log has them`;
        pending.push(rowOf({ type: "warning", text }, deps.phase, deps.attempt));
      }
      await write();
    },
    usage: () => usage,
  };
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
