/**
 * Consumes one queue on a supervised channel of its own, never taking more than is wanted.
 *
 * The broker may have as many unacked deliveries with a consumer as its prefetch says, fixed when
 * the consumer starts. To want more or less, the consumer is cancelled and a new one started on the
 * same channel, with the new number; what the old one delivered stays valid and is acked as usual.
 * A delivery that crosses the cancel still arrives: whoever handles deliveries must be able to let
 * one wait.
 */
import type { Channel, ConsumeMessage } from "amqplib";
import type { Logger } from "../../ports/logger.ts";
import { assertTopology } from "./assert-topology.ts";
import { pause } from "./back-off.ts";
import type { BrokerConnection } from "./open-connection.ts";
import { type LiveChannel, superviseChannel } from "./supervised-channel.ts";
import type { Topology } from "./topology.ts";

/** Wanting less is followed at once, so that others get the rest; wanting more, at most this often. */
const SETTLE_MS = 25;

export interface Delivery {
  readonly queue: string;
  readonly message: ConsumeMessage;
  /** False when the broker has it back, and will deliver it again to somebody. */
  readonly isOurs: () => boolean;
  /** Resolves when it is no longer ours. */
  readonly lost: Promise<void>;
  /** Forgets it at the broker; nothing happens if it is no longer ours. */
  readonly ack: () => void;
}

export interface QueueConsumerOptions {
  readonly queue: string;
  readonly connection: BrokerConnection;
  readonly logger: Logger;
  /** Either a fixed number of unacked deliveries, or how many more deliveries are wanted just now. */
  readonly take: { readonly atOnce: number } | { readonly more: () => number };
  /** Declared on its channel before it is consumed; default: it is there. */
  readonly topology?: Topology;
  /** Called at once for each delivery; must not throw. */
  readonly onDelivery: (delivery: Delivery) => void;
}

export interface QueueConsumer {
  /** Resolves when it consumes for the first time (or has found that nothing is wanted). */
  readonly ready: Promise<void>;
  /** Call it when `take.more` may have changed. */
  readonly adjust: () => void;
  /** Takes nothing new from now on. What it delivered can still be acked. */
  readonly cancel: () => Promise<void>;
  /** Closes the channel: what is unacked goes back to the queue. */
  readonly close: () => Promise<void>;
}

interface Subscription {
  readonly tag: string;
  readonly prefetch: number;
  readonly held: { unacked: number };
}

export function queueConsumer(options: QueueConsumerOptions): QueueConsumer {
  const { queue, connection, logger } = options;
  let subscription: Subscription | undefined;
  let isCancelled = false;
  let adjusting: Promise<void> | undefined;
  let settling: AbortController | undefined;
  let changedAtMs = Number.NEGATIVE_INFINITY;
  let isStale = false;

  const channel = superviseChannel({
    purpose: `consuming ${queue}`,
    connection,
    logger,
    open: connection.openChannel,
    async setUp(live) {
      await adjusting;
      subscription = undefined;
      if (options.topology !== undefined) {
        await assertTopology(live.channel, options.topology);
      }
      await resubscribe(live, prefetchNow());
    },
    onLive: adjust,
  });

  function prefetchNow(): number {
    if (isCancelled) {
      return 0;
    }
    return "more" in options.take ? options.take.more() : options.take.atOnce;
  }

  /** Whether the consumer that is there is the one that should be. */
  function isRight(): boolean {
    const prefetch = prefetchNow();
    if (subscription === undefined || prefetch === 0) {
      return subscription === undefined && prefetch === 0;
    }
    return prefetch === ("more" in options.take ? mayDeliver() : subscription.prefetch);
  }

  function mayDeliver(): number {
    return subscription === undefined ? 0 : subscription.prefetch - subscription.held.unacked;
  }

  async function resubscribe(live: LiveChannel<Channel>, prefetch: number): Promise<void> {
    if (subscription !== undefined) {
      const { tag } = subscription;
      subscription = undefined;
      await live.channel.cancel(tag);
    }
    if (prefetch > 0) {
      const held = { unacked: 0 };
      await live.channel.prefetch(prefetch);
      const consuming = live.channel.consume(queue, (message) => receive(live, held, message));
      const { consumerTag } = await consuming;
      subscription = { tag: consumerTag, prefetch, held };
    }
  }

  function receive(
    live: LiveChannel<Channel>,
    held: Subscription["held"],
    message: ConsumeMessage | null,
  ): void {
    if (message === null) {
      void live.abandon("the broker has cancelled the consumer");
      return;
    }
    held.unacked += 1;
    options.onDelivery({
      queue,
      message,
      isOurs: live.isOpen,
      lost: live.closed,
      ack() {
        held.unacked -= 1;
        if (live.isOpen()) {
          try {
            live.channel.ack(message);
          } catch (error) {
            logger.debug(`not acked, it comes again: ${String(error)}`, { queue });
          }
        }
      },
    });
  }

  function adjust(): void {
    isStale = true;
    settling?.abort();
    adjusting ??= follow().finally(() => {
      adjusting = undefined;
    });
  }

  /** Brings the consumer to what is wanted, until it is and nobody has asked again meanwhile. */
  async function follow(): Promise<void> {
    while (isStale) {
      isStale = false;
      const live = channel.current();
      if (live === undefined || !live.isOpen() || isRight()) {
        return;
      }
      const waitMs = changedAtMs + SETTLE_MS - performance.now();
      if (waitMs > 0 && mayDeliver() < prefetchNow()) {
        isStale = true;
        settling = new AbortController();
        await pause(waitMs, settling.signal);
        continue;
      }
      try {
        await resubscribe(live, prefetchNow());
      } catch (error) {
        await live.abandon(`consuming ${queue} failed: ${String(error)}`);
        return;
      }
      changedAtMs = performance.now();
    }
  }

  return {
    ready: channel.ready().then(() => {}),
    adjust,
    async cancel() {
      isCancelled = true;
      adjust();
      await adjusting;
    },
    close: channel.stop,
  };
}
