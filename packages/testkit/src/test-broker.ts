import { randomBytes } from "node:crypto";
import { topologyOf } from "@speckit/orchestrator/rabbitmq";
import amqp from "amqplib";
import { afterAll, inject } from "vitest";

export interface TestBroker {
  readonly url: string;
  /** Names of this test file's exchanges and queues begin with it. */
  readonly prefix: string;
}

/**
 * A part of the broker for one test file: a name prefix, whose queues and exchanges are deleted
 * after the last test. Call it at the top of the file: `const broker = testBroker()`.
 */
export function testBroker(): TestBroker {
  const broker = { url: inject("amqpUrl"), prefix: `t${randomBytes(5).toString("hex")}` };
  afterAll(() => deleteTopology(broker));
  return broker;
}

export async function deleteTopology({ url, prefix }: TestBroker): Promise<void> {
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
}

/** Declares everything a worker would, for tests that need it before the first worker is up. */
export async function declareTopology({ url, prefix }: TestBroker): Promise<void> {
  const connection = await amqp.connect(url, { noDelay: true });
  try {
    const channel = await connection.createChannel();
    const { exchanges, queues, bindings } = topologyOf(prefix);
    for (const { name, type } of exchanges) {
      await channel.assertExchange(name, type, { durable: true });
    }
    for (const { name, arguments: args } of queues) {
      await channel.assertQueue(name, { durable: true, arguments: { ...args } });
    }
    for (const { queue, exchange, key } of bindings) {
      await channel.bindQueue(queue, exchange, key);
    }
  } finally {
    await connection.close();
  }
}
