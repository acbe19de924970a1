/** Takes requests from the public door, a few at once: each costs a database transaction, not minutes. */
import { failureOf } from "../../domain/speckit-error.ts";
import type { RequestVerdict, TransportHandlers } from "../../ports/transport.ts";
import {
  BARE_AFTER_FAILURES,
  type ConsumeContext,
  type StartedConsumption,
} from "./consume-wake-ups.ts";
import { deadLetter } from "./dead-letter.ts";
import { publishThenAck } from "./publish-then-ack.ts";
import { type Delivery, queueConsumer } from "./queue-consumer.ts";
import { namesOf, ROUTING_KEYS } from "./topology.ts";

/**
 * A refusal waits for two or three confirms, which a broker under load gives in batches: sixteen at
 * once are refused at some 500 a second on two cores. Each may be as large as the broker takes.
 */
const REQUESTS_AT_ONCE = 16;

export function consumeRequests(
  { connection, publisher, prefix, logger }: ConsumeContext,
  onRequest: TransportHandlers["onRequest"],
): StartedConsumption {
  const names = namesOf(prefix);
  const stopping = new AbortController();
  const inHand = new Set<Promise<void>>();
  const requests = queueConsumer({
    connection,
    logger,
    queue: names.requests,
    take: { atOnce: REQUESTS_AT_ONCE },
    onDelivery(delivery) {
      if (!stopping.signal.aborted) {
        const handling = handle(delivery).finally(() => inHand.delete(handling));
        inHand.add(handling);
      }
    },
  });

  async function handle(delivery: Delivery): Promise<void> {
    const verdict = await verdictOn(delivery);
    if (verdict.do === "leave") {
      return;
    }
    if (verdict.do === "ack") {
      delivery.ack();
      return;
    }
    await publishThenAck(
      delivery,
      (failures) =>
        publisher.publish(
          deadLetter(names.dead, delivery.queue, delivery.message, verdict.failure, {
            bare: failures >= BARE_AFTER_FAILURES,
            body: verdict.body,
          }),
        ),
      { logger, stopping: stopping.signal },
    );
  }

  async function verdictOn({ message }: Delivery): Promise<RequestVerdict> {
    const { replyTo, correlationId } = message.properties;
    const kind = message.fields.routingKey === ROUTING_KEYS.command ? "command" : "request";
    try {
      return await onRequest({ kind, body: message.content, replyTo, correlationId });
    } catch (error) {
      // A bug. The request was never stored, so unlike a wake-up it must not vanish.
      logger.error(`a request's handler threw, which is a bug: ${String(error)}`, {
        stack: error instanceof Error ? error.stack : undefined,
      });
      return { do: "dead_letter", failure: failureOf(error) };
    }
  }

  return {
    ready: requests.ready,
    async stop() {
      stopping.abort();
      await requests.cancel();
      await Promise.all(inHand);
      await requests.close();
    },
  };
}
