import { slotGate } from "../../../adapters/rabbitmq/slot-gate.ts";
import { SpeckitError } from "../../../domain/speckit-error.ts";
import type { Clock } from "../../../ports/clock.ts";
import type { Logger } from "../../../ports/logger.ts";
import type {
  Consumption,
  DeliveryVerdict,
  RequestVerdict,
  Transport,
  TransportHandlers,
} from "../../../ports/transport.ts";
import type { BrokerConnection, BrokerDelivery, BrokerListener } from "./memory-broker.ts";

const RECONNECT_MS = 1_000;
const RETRY_MS = 500;
/** A wake-up that has found no free slot for so long goes to another worker. */
const GIVE_BACK_AFTER_MS = 5_000;

export interface MemoryTransportOptions {
  /** Opens a connection to the broker; rejects while it cannot be reached. */
  readonly connect: (listener: BrokerListener) => Promise<BrokerConnection>;
  readonly clock: Pick<Clock, "sleep">;
  readonly logger?: Logger | undefined;
}

/** A connection and whether it is still the one to use. */
interface Live {
  readonly connection: BrokerConnection;
  readonly closed: AbortController;
}

/**
 * The client's side of a {@link MemoryBroker}: keeps one connection open, publishes with confirms,
 * acks a delivery only after what must follow it is confirmed, and only on the connection that
 * brought it.
 */
export function openMemoryTransport(options: MemoryTransportOptions): Transport {
  const { clock, logger } = options;
  const ending = new AbortController();
  let live: Live | undefined;
  let consuming:
    | {
        readonly slots: number;
        readonly receive: Receive;
        readonly onHint: TransportHandlers["onHint"];
      }
    | undefined;
  let stopConsuming: (() => Promise<void>) | undefined;
  let connecting = connect();

  async function connect(): Promise<void> {
    while (!ending.signal.aborted) {
      const closed = new AbortController();
      try {
        const connection = await options.connect({
          deliver: (delivery) => consuming?.receive({ connection, closed }, delivery),
          hint: (runId) => consuming?.onHint?.(runId),
          closed: () => lose(closed),
        });
        if (!closed.signal.aborted) {
          live = { connection, closed };
          if (consuming !== undefined) {
            connection.consume(consuming.slots);
          }
          return;
        }
      } catch (error) {
        logger?.debug("broker not reached", { error: String(error) });
      }
      await clock.sleep(RECONNECT_MS, ending.signal);
    }
  }

  function lose(closed: AbortController): void {
    closed.abort();
    if (live?.closed === closed) {
      live = undefined;
      connecting = clock.sleep(RECONNECT_MS, ending.signal).then(connect);
    }
  }

  async function confirmed<T>(work: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    if (live === undefined || ending.signal.aborted) {
      throw new SpeckitError("BROKER_UNAVAILABLE", "The broker is away");
    }
    try {
      return await work(live.connection);
    } catch (cause) {
      throw new SpeckitError("BROKER_UNAVAILABLE", "The broker did not confirm", { cause });
    }
  }

  const publishWakeUp: Transport["publishWakeUp"] = (wakeUp, route) =>
    confirmed((connection) => connection.publishWakeUp(wakeUp, route));

  async function consume(handlers: TransportHandlers, slots: number): Promise<Consumption> {
    const stopping = new AbortController();
    const gate = slotGate(slots, () => {});
    const inHand = new Set<Promise<void>>();

    /** Publishes what must be safe first, for as long as the delivery is ours; then acks. */
    async function follow(
      { connection, closed }: Live,
      { tag }: BrokerDelivery,
      publish: (() => Promise<void>) | undefined,
    ): Promise<void> {
      while (publish !== undefined && !closed.signal.aborted) {
        try {
          await publish();
          break;
        } catch (error) {
          logger?.debug("a delivery is kept", { error: String(error) });
        }
        if (stopping.signal.aborted) {
          return;
        }
        await clock.sleep(RETRY_MS, stopping.signal);
      }
      if (!closed.signal.aborted) {
        connection.ack(tag);
      }
    }

    async function onWakeUp(from: Live, delivery: BrokerDelivery): Promise<void> {
      const { message, isRedelivered } = delivery;
      if (message.queue === "requests" || from.closed.signal.aborted) {
        return;
      }
      let verdict: DeliveryVerdict;
      try {
        verdict = await handlers.onWakeUp(message.wakeUp, { isRedelivered });
      } catch (error) {
        logger?.error("a wake-up's handler threw, which is a bug", { error: String(error) });
        verdict = { do: "ack" };
      }
      if (verdict.do !== "leave") {
        const next = verdict.do === "ack" ? undefined : verdict;
        await follow(from, delivery, next && (() => publishWakeUp(next.wakeUp, next.route)));
      }
    }

    async function onRequest(from: Live, delivery: BrokerDelivery): Promise<void> {
      if (delivery.message.queue !== "requests") {
        return;
      }
      const { request } = delivery.message;
      const verdict: RequestVerdict = await handlers.onRequest(request);
      if (verdict.do !== "leave") {
        const buried = verdict.do === "dead_letter" ? verdict : undefined;
        const { failure, body = request.body } = buried ?? {};
        await follow(
          from,
          delivery,
          failure &&
            (() => confirmed((connection) => connection.bury({ ...request, body }, failure))),
        );
      }
    }

    const receive: Receive = (from, delivery) => {
      if (stopping.signal.aborted) {
        return; // It crossed our cancel; it goes back when the channel is closed.
      }
      const { message } = delivery;
      if (message.queue === "requests") {
        const done = onRequest(from, delivery).finally(() => inHand.delete(done));
        inHand.add(done);
        return;
      }
      const { wakeUp } = message;
      let hasSlot = false;
      const waiting = gate.enter(message.queue, () => {
        hasSlot = true;
        return onWakeUp(from, delivery);
      });
      if (!hasSlot) {
        void clock.sleep(GIVE_BACK_AFTER_MS, stopping.signal).then(() => {
          if (!stopping.signal.aborted && waiting.leave()) {
            void follow(from, delivery, () => publishWakeUp(wakeUp, { to: "work" }));
          }
        });
      }
    };

    consuming = { slots, receive, onHint: handlers.onHint };
    live?.connection.consume(slots);
    const stop = async (): Promise<void> => {
      stopping.abort();
      consuming = undefined;
      live?.connection.cancel();
      await Promise.all([gate.close(), ...inHand]);
      giveBack();
    };
    stopConsuming = stop;
    return { stop };
  }

  /** What is unacked goes back to its queue: its channel is closed, and a new connection opened. */
  function giveBack(): void {
    const old = live;
    live = undefined;
    old?.closed.abort();
    old?.connection.close();
    connecting = connect();
  }

  return {
    publishWakeUp,
    publishHint: (runId) => confirmed((connection) => connection.publishHint(runId)),
    publishEvent: (event) => confirmed((connection) => connection.publishEvent(event)),
    publishReply: (replyTo, correlationId, body) =>
      confirmed((connection) => connection.publishReply(replyTo, correlationId, body)),
    async consume(handlers, { slots }) {
      await connecting;
      return consume(handlers, slots);
    },
    startBacklog: () => confirmed((connection) => connection.startBacklog()).catch(() => 0),
    health: () => ({
      connected: live !== undefined && !ending.signal.aborted,
      description: "the memory broker",
    }),
    async [Symbol.asyncDispose]() {
      await stopConsuming?.();
      ending.abort();
      await connecting;
      live?.closed.abort();
      live?.connection.close();
      live = undefined;
    },
  };
}

type Receive = (from: Live, delivery: BrokerDelivery) => void;
