import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { topologyOf } from "@speckit/orchestrator/rabbitmq";
import amqp from "amqplib";
import { afterAll, beforeAll, inject } from "vitest";

const WORKS_WITHIN_MS = 60_000;

export interface TestBroker {
  readonly url: string;
  /** Names of this test file's exchanges and queues begin with it. */
  readonly prefix: string;
}

/**
 * A part of the broker for one test file: a name prefix, whose queues and exchanges are deleted
 * after the last test. Call it at the top of the file: `const broker = testBroker()`. A broker that
 * does not work fails the file before its tests, with the end of the broker's log.
 */
export function testBroker(): TestBroker {
  const broker = { url: inject("amqpUrl"), prefix: `t${randomBytes(5).toString("hex")}` };
  beforeAll(() => checkBroker(broker));
  afterAll(() => deleteTopology(broker));
  return broker;
}

/** A quorum queue can be declared and deleted: a broker that is stuck still takes a login. */
async function checkBroker({ url, prefix }: TestBroker): Promise<void> {
  const works = async () => {
    const connection = await amqp.connect(url, { noDelay: true });
    connection.on("error", () => {});
    try {
      const channel = await connection.createChannel();
      channel.on("error", () => {});
      const name = `${prefix}.check`;
      await channel.assertQueue(name, { arguments: { "x-queue-type": "quorum" } });
      await channel.deleteQueue(name);
    } finally {
      void connection.close().catch(() => {});
    }
  };
  const tooLate = sleep(WORKS_WITHIN_MS, undefined, { ref: false }).then(() => {
    throw new Error(`not within ${WORKS_WITHIN_MS} ms`);
  });
  try {
    await Promise.race([works(), tooLate]);
  } catch (cause) {
    const log = await readFile(inject("brokerLog"), "utf8").catch(() => "");
    const end = log.trimEnd().split("\n").slice(-40).join("\n");
    throw new Error(`The broker declares no queue. Its log ends with:\n${end}`, { cause });
  }
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
