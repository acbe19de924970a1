import { randomUUID } from "node:crypto";
import amqp from "amqplib";
import { brokerAddress } from "./broker-address.ts";
import { translateBrokerError, unavailable } from "./broker-errors.ts";
import { closeSurely } from "./close-surely.ts";
import type { Publication } from "./confirming-publisher.ts";

const WITHIN_MS = 10_000;

/**
 * Publishes one message over a connection of its own and waits for the confirm.
 *
 * @throws SpeckitError `BROKER_UNAVAILABLE`, `SERVICE_REFUSED` or `CONFIGURATION_INVALID`; its
 *   `cause` is the broker's own error when it has closed the channel or connection because of it
 */
export async function publishOnce(
  brokerUrl: string,
  connectionName: string,
  { exchange, routingKey, body, mustBeRouted, properties }: Publication,
): Promise<void> {
  const { url, description } = brokerAddress(brokerUrl);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  const timer = setTimeout(
    () => ended.reject(unavailable(`${description} did not confirm a message in ${WITHIN_MS} ms`)),
    WITHIN_MS,
  );
  try {
    const connection = await amqp.connect(url, {
      noDelay: true,
      timeout: WITHIN_MS,
      clientProperties: { connection_name: connectionName },
    });
    connection.on("error", ended.reject);
    connection.on("close", (error) => ended.reject(error ?? new Error("connection closed")));
    try {
      const channel = await connection.createConfirmChannel();
      channel.on("error", ended.reject);
      let isReturned = false;
      channel.on("return", () => {
        isReturned = true;
      });
      const options = {
        messageId: randomUUID(),
        ...properties,
        persistent: true,
        mandatory: mustBeRouted,
      };
      const confirmed = new Promise<void>((resolve, reject) => {
        channel.publish(exchange, routingKey, body, options, (error) =>
          // What ended the channel says more than that it has ended: let that be heard first.
          error ? setImmediate(reject, error) : resolve(),
        );
      });
      await Promise.race([confirmed, ended.promise]);
      if (isReturned) {
        throw unavailable(
          `${description} has no queue for a message to ${exchange} with the key ${routingKey}`,
        );
      }
    } finally {
      await closeSurely(connection).catch(() => {});
    }
  } catch (cause) {
    throw translateBrokerError(cause, description);
  } finally {
    clearTimeout(timer);
  }
}
