import type { Channel } from "amqplib";
import { wakeUp } from "../../contract/wake-up.ts";
import type { ReachFailpoint } from "../../ports/failpoints.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Metrics } from "../../ports/metrics.ts";
import type { Transport } from "../../ports/transport.ts";
import { brokerAddress } from "./broker-address.ts";
import { closeSurely } from "./close-surely.ts";
import { confirmingPublisher } from "./confirming-publisher.ts";
import { consumeHints } from "./consume-hints.ts";
import { consumeRequests } from "./consume-requests.ts";
import { consumeWakeUps, type StartedConsumption } from "./consume-wake-ups.ts";
import { type BrokerConnection, openConnection } from "./open-connection.ts";
import { publishReply } from "./publish-reply.ts";
import { namesOf, topologyOf } from "./topology.ts";
import { waitingNotice } from "./waiting-notice.ts";
import { wakeUpPublication } from "./wake-up-message.ts";

export interface RabbitTransportOptions {
  /** `amqp://` or `amqps://`, with user, password and virtual host. */
  readonly url: string;
  /** What the names of all exchanges and queues begin with. Default `speckit`. */
  readonly prefix?: string;
  /** Shown in the broker's list of connections. */
  readonly deploymentId: string;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
  /** How long a publish waits for its confirm. Default 10 000. */
  readonly confirmWithinMs?: number;
  /** How long a delivery waits for a slot before another worker may have it. Default 5 000. */
  readonly giveBackAfterMs?: number;
  /** Tests alone set it: see `FAILPOINTS`. */
  readonly reach?: ReachFailpoint | undefined;
}

export interface RabbitTransport extends Transport {
  /**
   * Resolves when both connections have been made and everything is declared, however long the
   * broker takes to come up. Rejects when waiting is of no use: `SERVICE_REFUSED`,
   * `TOPOLOGY_CONFLICT`. Publishing and consuming wait for it by themselves, and reject as it does.
   */
  readonly connected: Promise<void>;
}

/**
 * The transport of a fleet. Does not wait for the broker: see `connected`, `health` and the log.
 *
 * Publishing and consuming have a connection each: a broker that is short of memory stops reading
 * from a connection that publishes, and acks must not wait for that.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`
 */
export async function openRabbitTransport(
  options: RabbitTransportOptions,
): Promise<RabbitTransport> {
  const { deploymentId, logger, prefix = "speckit" } = options;
  const address = brokerAddress(options.url);
  const names = namesOf(prefix);
  const common = {
    address,
    topology: topologyOf(prefix),
    notice: waitingNotice(address.description, logger),
    logger,
  };
  const nameOf = (purpose: string) => `speckit ${deploymentId} ${purpose}`;
  const publishing = await openConnection({ ...common, name: nameOf("publishing") });
  const consuming = await openConnection({ ...common, name: nameOf("consuming") });
  const connected = Promise.all([publishing.connected, consuming.connected]).then(() => {});
  connected.catch(() => {});
  const publisher = confirmingPublisher({
    connection: publishing,
    description: address.description,
    logger,
    confirmWithinMs: options.confirmWithinMs,
  });
  const consumptions = new Set<StartedConsumption>();

  return {
    connected,
    publishWakeUp: (sent, route) => publisher.publish(wakeUpPublication(prefix, sent, route)),
    publishHint: (runId) =>
      publisher.publish({
        exchange: names.control,
        routingKey: "",
        body: Buffer.from(JSON.stringify(wakeUp(runId))),
        mustBeRouted: false,
        properties: { contentType: "application/json" },
      }),
    publishEvent: (event) =>
      publisher.publish({
        exchange: names.events,
        routingKey: event.type.replace(/^speckit\./, ""),
        body: Buffer.from(JSON.stringify(event)),
        mustBeRouted: false,
        properties: { contentType: "application/cloudevents+json", messageId: event.id },
      }),
    publishReply: (replyTo, correlationId, body) =>
      publishReply(
        { url: address.url, connectionName: nameOf("reply"), publisher, logger },
        replyTo,
        correlationId,
        body,
      ),
    async consume(handlers, taking) {
      const context = {
        connection: consuming,
        publisher,
        prefix,
        logger,
        metrics: options.metrics,
        giveBackAfterMs: options.giveBackAfterMs,
        reach: options.reach,
      };
      const wakeUps = consumeWakeUps(context, handlers, taking);
      const started = [
        wakeUps,
        consumeRequests(context, handlers.onRequest),
        ...(handlers.onHint === undefined ? [] : [consumeHints(context, handlers.onHint)]),
      ];
      for (const consumption of started) {
        consumptions.add(consumption);
      }
      const stop = async () => {
        await Promise.all(started.map((consumption) => consumption.stop()));
        for (const consumption of started) {
          consumptions.delete(consumption);
        }
      };
      try {
        await connected;
      } catch (error) {
        await stop();
        throw error;
      }
      await Promise.all(started.map((consumption) => consumption.ready));
      return { stop, takeNew: wakeUps.takeNew };
    },
    startBacklog: async () => (consuming.isConnected() ? readyIn(consuming, names.start) : 0),
    health: () => ({
      connected: publishing.isConnected() && consuming.isConnected(),
      description: address.description,
    }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...consumptions].map((consumption) => consumption.stop()));
      await publisher.stop();
      await Promise.all([publishing.close(), consuming.close()]);
    },
  };
}

/**
 * A queue's ready messages, asked on a channel of its own: asking for a missing queue closes the
 * channel. 0 when the broker does not say.
 */
async function readyIn(connection: BrokerConnection, queue: string): Promise<number> {
  let channel: Channel | undefined;
  try {
    channel = await connection.openChannel();
    return (await channel.checkQueue(queue)).messageCount;
  } catch {
    return 0;
  } finally {
    if (channel !== undefined) {
      await closeSurely(channel).catch(() => {});
    }
  }
}
