/**
 * Keeps one channel open on a connection.
 *
 * A channel ends with its connection, by an error of its own (406 for an acknowledgement that came
 * too late, 404 for a queue that is gone), or because the broker has cancelled its consumer. Each
 * time a new one is opened and set up, with back-off, after the topology was declared again. A
 * delivery belongs to the channel that brought it: when that is gone the broker delivers it anew,
 * and nothing of it is acked on the next channel.
 */
import type { Channel } from "amqplib";
import type { Logger } from "../../ports/logger.ts";
import { backOffMs, pause } from "./back-off.ts";
import { closeSurely } from "./close-surely.ts";
import type { BrokerConnection } from "./open-connection.ts";

/** A channel that lived this long did not fail because of how it was set up. */
const PROVEN_AFTER_MS = 5_000;

/** One generation of a supervised channel. */
export interface LiveChannel<C extends Channel = Channel> {
  readonly channel: C;
  readonly isOpen: () => boolean;
  /** Resolves when it is gone, for whatever reason. */
  readonly closed: Promise<void>;
  /** Gives it up although it may still be open; a new one takes its place. */
  readonly abandon: (reason: string) => Promise<void>;
}

export interface SupervisedChannelOptions<C extends Channel> {
  /** For logs: what the channel is for. */
  readonly purpose: string;
  readonly connection: BrokerConnection;
  readonly open: () => Promise<C>;
  readonly setUp?: (live: LiveChannel<C>) => Promise<void>;
  /** Called when `current` has changed to a channel that is set up. */
  readonly onLive?: () => void;
  readonly logger: Logger;
}

export interface SupervisedChannel<C extends Channel> {
  readonly current: () => LiveChannel<C> | undefined;
  /** The channel once it is there and set up. Waits for ever after `stop`: race it with a deadline. */
  readonly ready: () => Promise<LiveChannel<C>>;
  /** Closes it for good. What was delivered on it and is not acked goes back to its queue. */
  readonly stop: () => Promise<void>;
}

export function superviseChannel<C extends Channel>(
  options: SupervisedChannelOptions<C>,
): SupervisedChannel<C> {
  const stopping = new AbortController();
  let newest: LiveChannel<C> | undefined;
  let current: LiveChannel<C> | undefined;
  let next = Promise.withResolvers<LiveChannel<C>>();

  void supervise();

  async function supervise(): Promise<void> {
    let failures = 0;
    let lostAtMs: number | undefined;
    while (!stopping.signal.aborted && options.connection.ended() === undefined) {
      const startedAtMs = performance.now();
      try {
        await live(lostAtMs);
        options.logger.debug(`channel lost: ${options.purpose}`);
      } catch (error) {
        options.logger.debug(`channel not opened: ${options.purpose}`, { reason: String(error) });
      }
      lostAtMs = performance.now();
      // A connection that is lost has a back-off of its own: this one is for channels alone.
      const isNew = !options.connection.isConnected() || lostAtMs - startedAtMs > PROVEN_AFTER_MS;
      failures = isNew ? 1 : failures + 1;
      await pause(backOffMs(failures), stopping.signal);
    }
  }

  /** One generation, from its opening to its end. */
  async function live(lostAtMs: number | undefined): Promise<void> {
    if (lostAtMs !== undefined) {
      await options.connection.repair(lostAtMs);
    }
    const generation = watch(await options.open(), options);
    newest = generation;
    if (stopping.signal.aborted) {
      await generation.abandon("stopped");
      return;
    }
    const gone = generation.closed.then(() => {
      throw new Error("closed during set-up");
    });
    gone.catch(() => {});
    try {
      await Promise.race([options.setUp?.(generation), gone]);
    } catch (error) {
      void generation.abandon("set-up failed");
      throw error;
    }
    current = generation;
    next.resolve(generation);
    options.onLive?.();
    await generation.closed;
    current = undefined;
    next = Promise.withResolvers();
  }

  return {
    current: () => current,
    ready: () => next.promise,
    async stop() {
      stopping.abort();
      await newest?.abandon("stopped");
    },
  };
}

function watch<C extends Channel>(
  channel: C,
  { logger, purpose }: SupervisedChannelOptions<C>,
): LiveChannel<C> {
  const closed = Promise.withResolvers<void>();
  let isOpen = true;
  const end = () => {
    isOpen = false;
    closed.resolve();
  };
  channel.on("close", end);
  channel.on("error", (error) => {
    logger.warn(`channel closed by RabbitMQ: ${error.message}`, { channel: purpose });
  });
  return {
    channel,
    isOpen: () => isOpen,
    closed: closed.promise,
    async abandon(reason) {
      if (isOpen) {
        logger.debug(`channel given up: ${purpose}`, { reason });
        end();
        await closeSurely(channel).catch(() => {});
      }
    },
  };
}
