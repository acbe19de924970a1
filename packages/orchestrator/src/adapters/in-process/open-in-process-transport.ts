/**
 * A transport without a broker, for one process that submits and carries its own runs.
 *
 * Wake-ups live in memory, delayed ones in timers, and nothing survives the process: the sweeper
 * finds in the database what was lost here. There is no public door; requests are submitted by
 * calling the library.
 */
import type { CloudEvent } from "../../contract/run-event.ts";
import type { WakeUp } from "../../contract/wake-up.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type {
  DeliveryVerdict,
  Reply,
  Transport,
  TransportHandlers,
  WakeUpRoute,
} from "../../ports/transport.ts";
import { memoryQueues } from "./memory-queues.ts";
import { sleepQuietly } from "./sleep-quietly.ts";

export interface InProcessTransportOptions {
  /** Hears every event. What it throws is logged and changes nothing. */
  readonly onEvent?: (event: CloudEvent) => void | Promise<void>;
  /** Hears every reply. What it throws is logged and changes nothing. */
  readonly onReply?: (
    replyTo: string,
    correlationId: string | undefined,
    body: Reply,
  ) => void | Promise<void>;
  /** Default: real time, with timers that do not keep the process alive. */
  readonly clock?: Pick<Clock, "sleep">;
  readonly logger?: Logger;
}

/** A process that consumes stays alive until it stops, as it would with an open connection. */
const KEEP_ALIVE_MS = 2 ** 30;

export function openInProcessTransport(options: InProcessTransportOptions = {}): Transport {
  const { logger } = options;
  const sleep = options.clock?.sleep ?? sleepQuietly;
  const closing = new AbortController();
  const queues = memoryQueues();
  const stops = new Set<() => Promise<void>>();
  const listeners = new Set<NonNullable<TransportHandlers["onHint"]>>();

  async function publish(wakeUp: WakeUp, route: WakeUpRoute): Promise<void> {
    if (closing.signal.aborted) {
      throw new SpeckitError("BROKER_UNAVAILABLE", "The in-process transport is closed");
    }
    if ("afterMs" in route) {
      void sleep(route.afterMs, closing.signal).then(() => queues.add(route.to, wakeUp));
    } else {
      // One process, one engine.
      queues.add(route.to === "engine" ? "work" : route.to, wakeUp);
    }
  }

  async function tell(what: string, listener: () => void | Promise<void>): Promise<void> {
    try {
      await listener();
    } catch (error) {
      logger?.error(`a listener of ${what} threw: ${String(error)}`);
    }
  }

  async function verdictOn(
    onWakeUp: TransportHandlers["onWakeUp"],
    wakeUp: WakeUp,
  ): Promise<DeliveryVerdict> {
    try {
      return await onWakeUp(wakeUp, { isRedelivered: false });
    } catch (error) {
      logger?.error(`a wake-up's handler threw, which is a bug: ${String(error)}`, {
        runId: wakeUp.runId,
      });
      return { do: "ack" };
    }
  }

  return {
    publishWakeUp: publish,
    async publishHint(runId) {
      for (const hear of listeners) {
        hear(runId);
      }
    },
    publishEvent: (event) => tell("events", () => options.onEvent?.(event)),
    publishReply: (replyTo, correlationId, body) =>
      tell("replies", () => options.onReply?.(replyTo, correlationId, body)),
    async consume({ onWakeUp, onHint }, { slots }) {
      if (onHint !== undefined) {
        listeners.add(onHint);
      }
      const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
      const consumption = queues.consume(slots, async ({ queue, wakeUp }) => {
        const verdict = await verdictOn(onWakeUp, wakeUp);
        if (verdict.do === "leave") {
          queues.add(queue, wakeUp);
        } else if (verdict.do === "publish_and_ack" && !closing.signal.aborted) {
          await publish(verdict.wakeUp, verdict.route);
        }
      });
      const stop = async () => {
        clearInterval(keepAlive);
        if (onHint !== undefined) {
          listeners.delete(onHint);
        }
        await consumption.stop();
        stops.delete(stop);
      };
      stops.add(stop);
      return { stop, takeNew: consumption.takeNew };
    },
    startBacklog: async () => queues.waiting("start"),
    health: () => ({ connected: !closing.signal.aborted, description: "the in-process transport" }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...stops].map((stop) => stop()));
      closing.abort();
    },
  };
}
