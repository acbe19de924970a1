import type { Channel } from "amqplib";
import type { Topology } from "./topology.ts";

/**
 * Declares what is missing of a topology. May run any number of times, and by many processes at
 * once. What is there with other arguments closes the channel with 406.
 */
export async function assertTopology(channel: Channel, topology: Topology): Promise<void> {
  for (const { name, type } of topology.exchanges) {
    await channel.assertExchange(name, type, { durable: true });
  }
  for (const { name, arguments: queueArguments } of topology.queues) {
    await channel.assertQueue(name, { durable: true, arguments: queueArguments });
  }
  for (const { queue, exchange, key } of topology.bindings) {
    await channel.bindQueue(queue, exchange, key);
  }
}
