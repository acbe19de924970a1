import { migrateDatabase } from "@speckit/orchestrator/node";
import amqp from "amqplib";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { databaseUrl, statement } from "../src/database-statement.ts";
import {
  type OpenService,
  openTestBroker,
  openTestPostgres,
  serviceWays,
} from "../src/services/open-services.ts";
import { declareTopology, deleteTopology } from "../src/test-broker.ts";

/** The services this test run has stand for configured ones. */
const env = { ...process.env, AMQP_URL: inject("amqpUrl"), DATABASE_URL: inject("databaseUrl") };

describe.each(serviceWays)("services by %s", (way) => {
  let broker: OpenService;
  let database: OpenService;
  beforeAll(async () => {
    const startedAt = performance.now();
    const opened = await Promise.allSettled([openTestBroker(way, env), openTestPostgres(way, env)]);
    const [first, second] = opened;
    if (first.status === "rejected") {
      throw first.reason;
    }
    if (second.status === "rejected") {
      await first.value[Symbol.asyncDispose]();
      throw second.reason;
    }
    [broker, database] = [first.value, second.value];
    console.log(`services by ${way}: ready in ${Math.round(performance.now() - startedAt)} ms`);
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    await database?.[Symbol.asyncDispose]();
  });

  test("say which way they came", () => {
    expect([broker.way, database.way]).toEqual([way, way]);
  });

  test("a new database takes every migration", async () => {
    const name = `speckit_way_${way}`;
    await statement(database.url, `CREATE DATABASE ${name}`);
    try {
      const { applied } = await migrateDatabase(databaseUrl(database.url, name));
      expect(applied.length).toBeGreaterThan(0);
    } finally {
      await statement(database.url, `DROP DATABASE ${name} WITH (FORCE)`);
    }
  });

  test("the broker takes the whole topology, and a message comes back from a quorum queue", async () => {
    const connection = await amqp.connect(broker.url, { noDelay: true });
    try {
      const channel = await connection.createConfirmChannel();
      const queue = `way-${way}`;
      await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
      channel.sendToQueue(queue, Buffer.from("here"), { persistent: true });
      await channel.waitForConfirms();
      const message = await channel.get(queue);
      expect(message ? message.content.toString() : undefined).toBe("here");
      await channel.deleteQueue(queue);
      await declareTopology({ url: broker.url, prefix: queue });
      await deleteTopology({ url: broker.url, prefix: queue });
    } finally {
      await connection.close();
    }
  });
});
