/**
 * One connection that comes back by itself.
 *
 * amqplib's own recovery reconnects with back-off and runs `setUp` on every new connection before it
 * hands it out; ours declares the topology. Around that call it has three holes, closed by `guarded`:
 * an `error` event during it would be an uncaught exception, a connection that dies during it would
 * be taken for connected and never looked at again, and a broker that keeps up its heartbeat but
 * never answers a declaration would be waited for without a word.
 *
 * What it does not bring back is a channel that was closed while its connection lives: that is
 * `superviseChannel`'s part.
 */
import amqp, { type Channel, type ChannelModel, type ConfirmChannel } from "amqplib";
import type { SpeckitError } from "../../domain/speckit-error.ts";
import type { Logger } from "../../ports/logger.ts";
import { assertTopology } from "./assert-topology.ts";
import { pause } from "./back-off.ts";
import type { BrokerAddress } from "./broker-address.ts";
import { translateBrokerError, unavailable } from "./broker-errors.ts";
import { closeSurely } from "./close-surely.ts";
import type { Topology } from "./topology.ts";
import type { WaitingNotice } from "./waiting-notice.ts";

const CONNECT_WITHIN_MS = 10_000;
const CLOSE_WITHIN_MS = 5_000;
/** Declaring everything takes 50 ms, on a broker that has much to do some seconds. */
const SET_UP_WITHIN_MS = 60_000;

export interface ConnectionOptions {
  readonly address: BrokerAddress;
  /** As the broker's own tools show it. */
  readonly name: string;
  readonly topology: Topology;
  readonly notice: WaitingNotice;
  readonly logger: Logger;
  /** How long the declarations of a new connection may take; then another one is made. Default 60 000. */
  readonly setUpWithinMs?: number;
}

export interface BrokerConnection {
  /**
   * Resolves at the first connection, however long it takes. Rejects when waiting is of no use:
   * `SERVICE_REFUSED`, `TOPOLOGY_CONFLICT`, or `BROKER_UNAVAILABLE` after `close`.
   */
  readonly connected: Promise<void>;
  readonly isConnected: () => boolean;
  /** Why there will be no connection any more: refused, or closed by us. */
  readonly ended: () => SpeckitError | undefined;
  /** Why the broker takes no publishes now, if it said so. */
  readonly blockedBecause: () => string | undefined;
  /** Wait for the connection to be there. */
  readonly openChannel: () => Promise<Channel>;
  readonly openConfirmChannel: () => Promise<ConfirmChannel>;
  /** Declares the topology again, unless that was done after `lostAtMs` (by performance.now). */
  readonly repair: (lostAtMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openConnection(options: ConnectionOptions): Promise<BrokerConnection> {
  const { address, logger, notice, topology, setUpWithinMs = SET_UP_WITHIN_MS } = options;
  const first = Promise.withResolvers<void>();
  first.promise.catch(() => {}); // whoever opens a channel hears of it
  let isConnected = false;
  let wasConnected = false;
  let blockedBecause: string | undefined;
  let declaredAtMs = 0;
  let failure: SpeckitError | undefined;

  const declareOn = async (channel: Channel) => {
    await assertTopology(channel, topology);
    declaredAtMs = performance.now();
    await closeSurely(channel);
  };
  const connection = await amqp.connect(address.url, {
    // With Nagle's algorithm a message of 3 kB is confirmed after 44 ms, without it after 1.
    noDelay: true,
    keepAlive: true,
    timeout: CONNECT_WITHIN_MS,
    clientProperties: { connection_name: options.name },
    recovery: {
      initialDelay: 100,
      maxDelay: 10_000,
      waitForConnect: false,
      setup: (model: ChannelModel) =>
        guarded(model, setUpWithinMs, async () => declareOn(quiet(await model.createChannel()))),
    },
  });
  connection.on("connect", () => {
    isConnected = true;
    wasConnected = true;
    notice.arrived();
    first.resolve();
  });
  connection.on("disconnect", (error) => {
    isConnected = false;
    blockedBecause = undefined;
    notice.failed(error.message);
  });
  connection.on("connect-failed", (cause) => {
    const error = translateBrokerError(cause, address.description);
    if (error.class !== "permanent") {
      notice.failed(error.message);
    } else if (wasConnected) {
      // A password being changed, a broker being set up again: what once worked may work again.
      logger.error(`cannot connect: ${error.message}`, { code: error.code });
    } else {
      failure = error;
      first.reject(error);
      void connection.close();
    }
  });
  connection.on("error", (error) => {
    logger.warn(`connection lost: ${error.message}`, { connection: options.name });
  });
  connection.on("blocked", (reason) => {
    blockedBecause = reason;
    logger.warn(`${address.description} takes no messages now: ${reason}`);
  });
  connection.on("unblocked", () => {
    blockedBecause = undefined;
    logger.info(`${address.description} takes messages again`);
  });

  const orFailure = async <T>(opening: Promise<T>): Promise<T> => {
    try {
      return await opening;
    } catch (cause) {
      throw failure ?? translateBrokerError(cause, address.description);
    }
  };
  const openChannel = async () => quiet(await orFailure(connection.createChannel()));
  return {
    connected: first.promise,
    isConnected: () => isConnected,
    ended: () => failure,
    blockedBecause: () => blockedBecause,
    openChannel,
    openConfirmChannel: async () => quiet(await orFailure(connection.createConfirmChannel())),
    async repair(lostAtMs) {
      const channel = await openChannel();
      await (declaredAtMs > lostAtMs ? closeSurely(channel) : orFailure(declareOn(channel)));
    },
    async close() {
      isConnected = false;
      failure ??= unavailable(
        `The connection to ${address.description} was closed by this process`,
      );
      first.reject(failure);
      // A broker that hangs never answers the farewell.
      await Promise.race([connection.close(), pause(CLOSE_WITHIN_MS)]);
    },
  };
}

/** Runs a set-up so that neither an error event nor the connection's end nor a silence goes unnoticed. */
async function guarded(
  model: ChannelModel,
  withinMs: number,
  setUp: () => Promise<void>,
): Promise<void> {
  const lost = Promise.withResolvers<never>();
  const deadline = setTimeout(
    () => lost.reject(new Error(`no answer to a declaration within ${withinMs} ms`)),
    withinMs,
  );
  lost.promise.catch(() => {});
  model.on("error", () => {});
  model.once("close", (error) => lost.reject(error ?? new Error("closed during set-up")));
  try {
    await Promise.race([setUp(), lost.promise]);
  } catch (error) {
    // amqplib closes it too, and would wait for ever if it ended on the way.
    const farewell = closeSurely(model).catch(() => {});
    await Promise.race([farewell, pause(Math.min(CLOSE_WITHIN_MS, withinMs))]);
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

/** An `error` event without a listener is an uncaught exception; the failed call says the same. */
function quiet<C extends Channel>(channel: C): C {
  channel.on("error", () => {});
  return channel;
}
