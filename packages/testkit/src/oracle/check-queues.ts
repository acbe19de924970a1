import { topologyOf } from "@speckit/orchestrator/rabbitmq";
import amqp from "amqplib";

/** Every queue of a prefix is empty, and the dead-letter queue holds exactly what is expected there. */
export async function checkQueues(
  amqpUrl: string,
  prefix: string,
  expectedDead: readonly string[],
): Promise<readonly string[]> {
  const connection = await amqp.connect(amqpUrl, { noDelay: true });
  try {
    const channel = await connection.createChannel();
    const problems: string[] = [];
    for (const { name, arguments: queueArguments } of topologyOf(prefix).queues) {
      // Declared like the product does: a queue that is not there is an empty one.
      const { messageCount } = await channel.assertQueue(name, {
        durable: true,
        arguments: queueArguments,
      });
      if (name !== `${prefix}.dead` && messageCount > 0) {
        problems.push(`queue ${name} holds ${messageCount} messages`);
      }
    }
    const codes: string[] = [];
    for (;;) {
      const message = await channel.get(`${prefix}.dead`, { noAck: false });
      if (message === false) {
        break;
      }
      codes.push(String(message.properties.headers?.["speckit-code"]));
    }
    const [got, wanted] = [codes, expectedDead].map((list) => [...list].sort().join(", "));
    if (got !== wanted) {
      problems.push(`the dead-letter queue holds [${got}], expected [${wanted}]`);
    }
    return problems;
  } finally {
    // What was looked at goes back with the channel.
    await connection.close();
  }
}
