import { eventually } from "@speckit/testkit";
import amqp, { type Channel, type ConsumeMessage, type GetMessage } from "amqplib";
import { assertTopology } from "../../../src/adapters/rabbitmq/assert-topology.ts";
import { topologyOf } from "../../../src/adapters/rabbitmq/index.ts";

/** What a program in any other language would use to talk to the same broker. */
export interface PlainClient extends AsyncDisposable {
  readonly channel: Channel;
  /** Binds a queue of its own and collects what arrives. */
  readonly listen: (exchange: string, key: string) => Promise<readonly ConsumeMessage[]>;
  /** A queue of its own, and what arrives there. */
  readonly inbox: () => Promise<{ name: string; messages: readonly ConsumeMessage[] }>;
  /** Declares what speckit would, and empties its queues. */
  readonly purge: (prefix: string) => Promise<void>;
  /** Takes the next message of a queue, waiting for it. */
  readonly take: (queue: string) => Promise<GetMessage>;
}

export async function plainClient(url: string): Promise<PlainClient> {
  const connection = await amqp.connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  async function inbox() {
    const { queue } = await channel.assertQueue("", { exclusive: true });
    const messages: ConsumeMessage[] = [];
    await channel.consume(queue, (message) => message && messages.push(message), { noAck: true });
    return { name: queue, messages };
  }
  return {
    channel,
    inbox,
    async listen(exchange, key) {
      const { name, messages } = await inbox();
      await channel.bindQueue(name, exchange, key);
      return messages;
    },
    async purge(prefix) {
      const topology = topologyOf(prefix);
      await assertTopology(channel, topology);
      for (const { name } of topology.queues) {
        await channel.purgeQueue(name);
      }
    },
    async take(queue) {
      const message = await eventually(`a message in ${queue}`, () =>
        channel.get(queue, { noAck: true }),
      );
      return message as GetMessage;
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
    },
  };
}
