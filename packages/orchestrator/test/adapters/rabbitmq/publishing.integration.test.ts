import { randomUUID } from "node:crypto";
import { eventually, tcpProxy, testBroker } from "@speckit/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  namesOf,
  openRabbitTransport,
  type RabbitTransport,
  ROUTING_KEYS,
} from "../../../src/adapters/rabbitmq/index.ts";
import type { CloudEvent, RunRejected } from "../../../src/contract/index.ts";
import { wakeUp } from "../../../src/contract/wake-up.ts";
import { failure } from "../../../src/domain/failure.ts";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { recordingLogger } from "./recording-logger.ts";

const broker = testBroker();
const names = namesOf(broker.prefix);
let transport: RabbitTransport;
let client: PlainClient;

beforeAll(async () => {
  const { logger } = recordingLogger();
  transport = await openRabbitTransport({ ...broker, deploymentId: "test", logger });
  await transport.connected;
  client = await plainClient(broker.url);
});
afterAll(async () => {
  await transport[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
});

function event(type: string, size = 0): CloudEvent {
  const runId = randomUUID();
  return {
    specversion: "1.0",
    id: `${runId}/1`,
    source: "/speckit/test",
    type: `speckit.${type}`,
    subject: runId,
    time: "2026-01-02T03:04:05.678Z",
    datacontenttype: "application/json",
    data: { padding: "x".repeat(size) },
  };
}

const reply: RunRejected = {
  status: "rejected",
  runId: null,
  failure: failure("REQUEST_NOT_JSON", "The request is empty, expected a JSON object"),
};

describe("publishing", () => {
  test("a confirmed message that no queue has taken is an error, and the next one is routed again", async () => {
    await client.channel.unbindQueue(names.start, names.work, ROUTING_KEYS.start);
    const lost = transport.publishWakeUp(wakeUp(randomUUID()), { to: "start" });
    await expect(lost).rejects.toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringContaining("no queue"),
    });
    const sent = wakeUp(randomUUID());
    await eventually("the binding is declared again", async () => {
      await transport.publishWakeUp(sent, { to: "start" });
      return true;
    });
    const { content } = await client.take(names.start);
    expect(JSON.parse(content.toString())).toEqual(sent);
  });

  test("a wake-up outlives the broker and has an id", async () => {
    await transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
    const { properties } = await client.take(names.work);
    expect(properties).toMatchObject({
      deliveryMode: 2,
      messageId: expect.stringMatching(/.{36}/),
    });
  });

  test("an event reaches exactly those who bound its kind, under its own id", async () => {
    const runs = await client.listen(names.events, "run.*");
    const phases = await client.listen(names.events, "phase.*");
    const sent = event("run.accepted");
    await transport.publishEvent(sent);
    const [got] = await eventually(
      "it arrives",
      () => runs,
      (messages) => messages.length > 0,
    );
    expect(JSON.parse(got!.content.toString())).toEqual(sent);
    expect(got!.fields.routingKey).toBe("run.accepted");
    expect(got!.properties).toMatchObject({
      contentType: "application/cloudevents+json",
      messageId: sent.id,
    });
    expect(phases).toEqual([]);
  });

  test("an event that nobody wants is fine", async () => {
    await expect(transport.publishEvent(event("phase.usage"))).resolves.toBeUndefined();
  });

  test("a reply to a queue that is gone is fine", async () => {
    await expect(transport.publishReply("gone", "c", reply)).resolves.toBeUndefined();
  });

  test("a reply reaches a requester that listens without a queue", async () => {
    const answers: { correlationId: unknown; body: unknown }[] = [];
    await client.channel.consume(
      "amq.rabbitmq.reply-to",
      (message) =>
        message &&
        answers.push({
          correlationId: message.properties.correlationId,
          body: JSON.parse(message.content.toString()),
        }),
      { noAck: true },
    );
    client.channel.publish(names.requests, ROUTING_KEYS.request, Buffer.from("{}"), {
      replyTo: "amq.rabbitmq.reply-to",
    });
    const { properties } = await client.take(names.requests);
    await transport.publishReply(properties.replyTo, "c-9", reply);
    await eventually("it arrives", () => answers.length === 1);
    expect(answers).toEqual([{ correlationId: "c-9", body: reply }]);
  });

  test("a forged reply address, on which RabbitMQ ends the connection, disturbs nobody else", async () => {
    const forged = "amq.rabbitmq.reply-to.g1h2AA9yZXBseUA1NTE1NjM1OAAAJ+MAAAAAYyWrdw==.abc";
    const replies = [1, 2, 3].map(() => transport.publishReply(forged, "c", reply));
    const wakeUps = Array.from({ length: 20 }, () =>
      transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" }),
    );
    await Promise.all([...replies, ...wakeUps]);
    expect(transport.health().connected).toBe(true);
    expect((await client.channel.purgeQueue(names.work)).messageCount).toBe(wakeUps.length);
  });

  test("a message of several kB is not held up by Nagle's algorithm", async () => {
    const tookMs: number[] = [];
    for (let count = 0; count < 21; count += 1) {
      const startedAtMs = performance.now();
      await transport.publishEvent(event("run.accepted", 4_000));
      tookMs.push(performance.now() - startedAtMs);
    }
    // 44 ms each with the algorithm, about 1 without.
    expect(tookMs.sort((left, right) => left - right)[10]).toBeLessThan(20);
  });

  test("publishing while the connection is away waits, and fails at its deadline", async () => {
    await using proxy = await tcpProxy(broker.url);
    const { logger } = recordingLogger();
    const away = await openRabbitTransport({
      ...broker,
      url: proxy.url,
      deploymentId: "test",
      logger,
      confirmWithinMs: 300,
    });
    await away.connected;
    proxy.refuse();
    proxy.cut();
    await eventually("it is noticed", () => !away.health().connected);
    await expect(away.publishEvent(event("run.accepted"))).rejects.toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringContaining("is not connected"),
    });
    proxy.accept();
    await eventually("it publishes again", () =>
      away.publishEvent(event("run.accepted")).then(() => true),
    );
    await away[Symbol.asyncDispose]();
  });
});
