import { randomUUID } from "node:crypto";
import amqp, { type ConfirmChannel, type Options } from "amqplib";
import type { SpeckitError } from "../../domain/speckit-error.ts";
import type { Logger } from "../../ports/logger.ts";
import { translateBrokerError, unavailable } from "./broker-errors.ts";
import type { BrokerConnection } from "./open-connection.ts";
import { type LiveChannel, superviseChannel } from "./supervised-channel.ts";

/** A broker that is alive confirms in milliseconds; one that blocks publishers may never do it. */
const CONFIRM_WITHIN_MS = 10_000;

export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  /** Whether reaching no queue is a failure. */
  readonly mustBeRouted: boolean;
  /** `messageId` is made up when it is missing; the message is persistent in any case. */
  readonly properties: Options.Publish;
}

export interface ConfirmingPublisher {
  /**
   * Resolves when the broker has confirmed, and routed if it must be. A rejection means "not known
   * to be safe": the message may still arrive, so whoever tries again may have sent it twice.
   *
   * @throws SpeckitError `BROKER_UNAVAILABLE`, or what `BrokerConnection.connected` rejects with
   */
  readonly publish: (publication: Publication) => Promise<void>;
  /** Waits for what is on its way, if there is a connection, then closes the channel. */
  readonly stop: () => Promise<void>;
}

interface Flight {
  readonly messageId: string;
  isReturned: boolean;
}

export interface PublisherOptions {
  readonly connection: BrokerConnection;
  readonly description: string;
  readonly logger: Logger;
  /** Tests shorten it. Default 10 s. */
  readonly confirmWithinMs?: number | undefined;
}

export function confirmingPublisher(options: PublisherOptions): ConfirmingPublisher {
  const { connection, description } = options;
  const withinMs = options.confirmWithinMs ?? CONFIRM_WITHIN_MS;
  const flights = new Set<Flight>();
  const underWay = new Set<Promise<void>>();
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => {});
  const channel = superviseChannel<ConfirmChannel>({
    purpose: "publishing",
    connection,
    logger: options.logger,
    open: connection.openConfirmChannel,
    async setUp(live) {
      // The broker returns a message before it confirms it, and the confirm is an ack all the same.
      live.channel.on("return", ({ properties }) => {
        for (const flight of flights) {
          flight.isReturned ||= flight.messageId === properties.messageId;
        }
      });
    },
  });

  async function publish(publication: Publication): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(tooLate()), withinMs);
    let isOver = false;
    const sent = (async () => {
      await connection.connected;
      const end = connection.ended();
      if (end !== undefined) {
        throw end;
      }
      const live = await channel.ready();
      if (!isOver) {
        await send(live, publication);
      }
    })();
    try {
      await Promise.race([sent, late.promise, stopped.promise]);
    } finally {
      isOver = true;
      clearTimeout(timer);
      sent.catch(() => {});
    }
  }

  function send(live: LiveChannel<ConfirmChannel>, publication: Publication): Promise<void> {
    const { exchange, routingKey, body, mustBeRouted, properties } = publication;
    const messageId = properties.messageId ?? randomUUID();
    const flight: Flight = { messageId, isReturned: false };
    return new Promise((resolve, reject) => {
      const settle = (error: unknown) => {
        flights.delete(flight);
        if (error) {
          reject(unavailable(`${description} did not take a message: ${reasonOf(error)}`, error));
        } else if (flight.isReturned && mustBeRouted) {
          void connection.repair(performance.now()).catch(() => {});
          reject(
            unavailable(
              `${description} has no queue for a message to ${exchange} with the key ${routingKey}`,
            ),
          );
        } else {
          resolve();
        }
      };
      flights.add(flight);
      try {
        live.channel.publish(
          exchange,
          routingKey,
          body,
          { ...properties, messageId, persistent: true, mandatory: mustBeRouted },
          settle,
        );
      } catch (cause) {
        flights.delete(flight);
        if (cause instanceof amqp.IllegalOperationError) {
          void live.abandon("publishing found it closed");
        }
        reject(translateBrokerError(cause, description));
      }
    });
  }

  function tooLate(): SpeckitError {
    const blocked = connection.blockedBecause();
    const state = connection.isConnected() ? "did not confirm a message" : "is not connected";
    return unavailable(
      `${description} ${blocked === undefined ? state : `takes no messages now (${blocked})`}, waited ${withinMs} ms`,
    );
  }

  return {
    publish(publication) {
      const publishing = publish(publication);
      const settled: Promise<void> = publishing.then(
        () => {},
        () => {},
      );
      underWay.add(settled);
      void settled.then(() => underWay.delete(settled));
      return publishing;
    },
    async stop() {
      if (connection.isConnected()) {
        await Promise.all(underWay);
      }
      stopped.reject(unavailable(`This process stops publishing to ${description}`));
      await channel.stop();
    },
  };
}

/** amqplib says the same two words for a refused message and for a channel that ended. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text === "message nacked" ? "the queue is full, or has no leader" : text;
}
