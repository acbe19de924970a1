/**
 * Hears hints about runs: each worker has a queue of its own on a fanout exchange, which the broker
 * deletes with the worker's connection. A hint may be lost at any time and is acked by its delivery:
 * it only shortens a wait that ends by itself.
 */
import type { TransportHandlers } from "../../ports/transport.ts";
import type { ConsumeContext, StartedConsumption } from "./consume-wake-ups.ts";
import { superviseChannel } from "./supervised-channel.ts";
import { namesOf } from "./topology.ts";
import { readWakeUp } from "./wake-up-message.ts";

export function consumeHints(
  { connection, prefix, logger }: Pick<ConsumeContext, "connection" | "prefix" | "logger">,
  onHint: NonNullable<TransportHandlers["onHint"]>,
): StartedConsumption {
  const { control } = namesOf(prefix);
  const channel = superviseChannel({
    purpose: `hearing ${control}`,
    connection,
    logger,
    open: connection.openChannel,
    async setUp(live) {
      const { queue } = await live.channel.assertQueue("", { exclusive: true, autoDelete: true });
      await live.channel.bindQueue(queue, control, "");
      await live.channel.consume(
        queue,
        (message) => {
          if (message === null) {
            void live.abandon("the broker has cancelled the consumer");
            return;
          }
          const read = readWakeUp(message.content);
          if ("failure" in read) {
            logger.debug(read.failure.message, { queue: control });
          } else {
            onHint(read.wakeUp.runId);
          }
        },
        { noAck: true },
      );
    },
  });
  return { ready: channel.ready().then(() => {}), stop: channel.stop };
}
