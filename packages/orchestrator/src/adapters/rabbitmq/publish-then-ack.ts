import type { Logger } from "../../ports/logger.ts";
import { backOffMs, pause } from "./back-off.ts";
import type { Delivery } from "./queue-consumer.ts";

/**
 * Publishes what must be safe before a delivery is acked, then acks it.
 *
 * The two are not one step. Cut between them, the message is there twice: once published, once
 * delivered again; wake-ups die when they meet, and a request is stored once. A publish that fails
 * is tried again, with back-off, for as long as the delivery is ours: without it the broker would
 * have nothing, with it somebody will get it again. Nothing is ever given back by a nack, which
 * would come back at once and for ever. Never rejects.
 *
 * @param publish gets the number of tries that failed before
 * @param stopping from then on one failure is enough to leave the delivery to the broker
 */
export async function publishThenAck(
  delivery: Delivery,
  publish: (failures: number) => Promise<void>,
  {
    logger,
    stopping,
    onPublished,
  }: {
    readonly logger: Logger;
    readonly stopping: AbortSignal;
    /** Between the two. */
    readonly onPublished?: () => Promise<void> | undefined;
  },
): Promise<void> {
  for (let failures = 0; delivery.isOurs(); ) {
    try {
      await publish(failures);
      await onPublished?.();
      delivery.ack();
      return;
    } catch (error) {
      failures += 1;
      logger.warn(`a delivery is kept, its successor is not published yet: ${String(error)}`, {
        queue: delivery.queue,
        failures,
      });
    }
    if (stopping.aborted) {
      return;
    }
    await Promise.race([pause(backOffMs(failures), stopping), delivery.lost]);
  }
}
