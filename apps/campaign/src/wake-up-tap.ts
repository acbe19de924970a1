import { namesOf, ROUTING_KEYS } from "@speckit/orchestrator/rabbitmq";
import amqp from "amqplib";

export interface WakeUpTap {
  /** Takes out what was copied and counts it by run. */
  readonly count: () => Promise<ReadonlyMap<string, number>>;
}

/**
 * Has the broker copy every wake-up that reaches the exchange they all go through, into a durable
 * queue that nobody of the fleet knows. So each one counts once when it is published, and once more
 * when it comes back from a retry queue; deliveries that are repeated do not count, they are no new messages.
 */
export async function openWakeUpTap(url: string, prefix: string): Promise<WakeUpTap> {
  const queue = `${prefix}.campaign.tap`;
  const { work } = namesOf(prefix);
  await onChannel(url, async (channel) => {
    await channel.assertExchange(work, "direct", { durable: true });
    await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
    await channel.bindQueue(queue, work, ROUTING_KEYS.start);
    await channel.bindQueue(queue, work, ROUTING_KEYS.wake);
  });
  return {
    count: () =>
      onChannel(url, async (channel) => {
        const byRun = new Map<string, number>();
        for (;;) {
          const message = await channel.get(queue, { noAck: true });
          if (message === false) {
            return byRun;
          }
          const { runId } = JSON.parse(message.content.toString()) as { readonly runId: string };
          byRun.set(runId, (byRun.get(runId) ?? 0) + 1);
        }
      }),
  };
}

async function onChannel<T>(url: string, work: (channel: amqp.Channel) => Promise<T>): Promise<T> {
  const connection = await amqp.connect(url, { noDelay: true });
  try {
    return await work(await connection.createChannel());
  } finally {
    await connection.close();
  }
}
