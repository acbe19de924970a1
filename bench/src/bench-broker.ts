import { randomBytes } from "node:crypto";
import { topologyOf } from "@speckit/orchestrator/rabbitmq";
import amqp from "amqplib";

/** Names of its own at the broker for one measurement; its queues and exchanges go at the end. */
export interface BenchBroker extends AsyncDisposable {
  readonly url: string;
  readonly prefix: string;
}

export function benchBroker(url: string): BenchBroker {
  const prefix = `bench${randomBytes(5).toString("hex")}`;
  return {
    url,
    prefix,
    async [Symbol.asyncDispose]() {
      const connection = await amqp.connect(url, { noDelay: true });
      try {
        const channel = await connection.createChannel();
        const { exchanges, queues } = topologyOf(prefix);
        for (const { name } of queues) {
          await channel.deleteQueue(name);
        }
        for (const { name } of exchanges) {
          await channel.deleteExchange(name);
        }
      } finally {
        await connection.close();
      }
    },
  };
}
