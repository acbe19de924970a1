import { randomUUID } from "node:crypto";
import { eventually, tcpProxy, testBroker } from "@speckit/testkit";
import { beforeEach, describe, expect, test } from "vitest";
import {
  namesOf,
  openRabbitTransport,
  openRunRequestPublisher,
  ROUTING_KEYS,
} from "../../../src/adapters/rabbitmq/index.ts";
import { type WakeUp, wakeUp } from "../../../src/contract/wake-up.ts";
import type { DeliveryVerdict } from "../../../src/ports/transport.ts";
import { plainClient } from "./plain-client.ts";
import { recordingLogger } from "./recording-logger.ts";

const broker = testBroker();
const names = namesOf(broker.prefix);

beforeEach(async () => {
  await using client = await plainClient(broker.url);
  await client.purge(broker.prefix);
});

async function depth(queue: string): Promise<number> {
  await using client = await plainClient(broker.url);
  return (await client.channel.checkQueue(queue)).messageCount;
}

const REQUEST = {
  schemaVersion: 1,
  repository: "acme/shop",
  specifyText: "Add a page",
} as const;

describe("F9: a connection cut between a publish and its confirm", () => {
  test("a request is sent again under the same run id, and the publish succeeds", async () => {
    await using proxy = await tcpProxy(broker.url);
    await using publisher = await openRunRequestPublisher({ ...broker, url: proxy.url });
    await publisher.publish(REQUEST);
    expect(await depth(names.requests)).toBe(1);
    proxy.mute();
    const publishing = publisher.publish(REQUEST);
    await eventually(
      "the broker has it",
      () => depth(names.requests),
      (count) => count === 2,
    );
    proxy.cut();
    const { runId } = await publishing;
    await using client = await plainClient(broker.url);
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      ids.push(JSON.parse((await client.take(names.requests)).content.toString()).runId);
    }
    expect(ids.slice(1)).toEqual([runId, runId]);
    expect(await depth(names.requests)).toBe(0);
  });

  test("a wake-up's publish is told as not known to be safe, and one more does no harm", async () => {
    await using proxy = await tcpProxy(broker.url);
    const { logger } = recordingLogger();
    await using transport = await openRabbitTransport({
      ...broker,
      url: proxy.url,
      deploymentId: "test",
      logger,
    });
    await transport.connected;
    const sent = wakeUp(randomUUID());
    await transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
    proxy.mute();
    const publishing = transport.publishWakeUp(sent, { to: "work" });
    publishing.catch(() => {});
    await eventually(
      "the broker has it",
      () => depth(names.work),
      (count) => count === 2,
    );
    proxy.cut();
    await expect(publishing).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
    await transport.publishWakeUp(sent, { to: "work" });
    expect(await depth(names.work)).toBe(3);
  });

  test("a delivery whose successor was not confirmed is never acked before one is", async () => {
    await using proxy = await tcpProxy(broker.url);
    const { logger } = recordingLogger();
    await using transport = await openRabbitTransport({
      ...broker,
      url: proxy.url,
      deploymentId: "test",
      logger,
    });
    const first = wakeUp(randomUUID());
    const received: WakeUp[] = [];
    const decided = Promise.withResolvers<DeliveryVerdict>();
    const consumption = await transport.consume(
      {
        onWakeUp: (one) => {
          received.push(one);
          return received.length === 1 ? decided.promise : Promise.resolve({ do: "ack" });
        },
        onRequest: async () => ({ do: "ack" }),
      },
      { slots: 1 },
    );
    await transport.publishWakeUp(first, { to: "work" });
    await eventually("it is in hand", () => received.length === 1);
    proxy.mute();
    decided.resolve({
      do: "publish_and_ack",
      wakeUp: first,
      route: { to: "work", afterMs: 5_000 },
    });
    await eventually(
      "its successor is there",
      () => depth(names.retry(5_000)),
      (n) => n === 1,
    );
    proxy.cut();
    // Twice more: delivered again, since it was not acked, and by the successor.
    await eventually("both come", () => received.length >= 3, Boolean, { withinMs: 20_000 });
    expect(received).toEqual([first, first, first]);
    await consumption.stop();
    expect(await depth(names.work)).toBe(0);
  });
});

test("F10: a successor that reaches no queue is no successor: the delivery is kept until one has it", async () => {
  const { logger, lines } = recordingLogger();
  await using transport = await openRabbitTransport({ ...broker, deploymentId: "test", logger });
  await transport.connected;
  await using client = await plainClient(broker.url);
  const first = wakeUp(randomUUID());
  const received: WakeUp[] = [];
  const consumption = await transport.consume(
    {
      async onWakeUp(one) {
        received.push(one);
        if (received.length > 1) {
          return { do: "ack" };
        }
        await client.channel.unbindQueue(names.work, names.work, ROUTING_KEYS.wake);
        return { do: "publish_and_ack", wakeUp: first, route: { to: "work" } };
      },
      onRequest: async () => ({ do: "ack" }),
    },
    { slots: 1 },
  );
  await transport.publishWakeUp(first, { to: "work" });
  await eventually("the successor comes", () => received.length === 2);
  expect(received).toEqual([first, first]);
  const told = lines.filter(({ message }) =>
    message.includes("its successor is not published yet"),
  );
  expect(told.length).toBeGreaterThan(0);
  expect(told[0]?.message).toContain("no queue");
  await consumption.stop();
  expect(await depth(names.work)).toBe(0);
});

test("F11: a half-open connection is given up by its heartbeat; what it delivered is not acked on the next", async () => {
  await using proxy = await tcpProxy(broker.url);
  const { logger, lines } = recordingLogger();
  const transport = await openRabbitTransport({
    ...broker,
    url: `${proxy.url}?heartbeat=1`,
    deploymentId: "test",
    logger,
  });
  const handed: PromiseWithResolvers<DeliveryVerdict>[] = [];
  const consumption = await transport.consume(
    {
      onWakeUp: () => {
        const verdict = Promise.withResolvers<DeliveryVerdict>();
        handed.push(verdict);
        return verdict.promise;
      },
      onRequest: async () => ({ do: "ack" }),
    },
    { slots: 4 },
  );
  await transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
  await eventually("it is in hand", () => handed.length === 1);
  proxy.freeze();
  await eventually("the loss is noticed", () => !transport.health().connected);
  // The broker notices too, and delivers it again on a new channel, where it is the first again.
  await eventually("it comes again", () => handed.length === 2, Boolean, { withinMs: 20_000 });
  handed[0]?.resolve({ do: "ack" });
  await transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
  await eventually("the channel goes on", () => handed.length === 3);
  handed[2]?.resolve({ do: "ack" });
  expect(lines.filter(({ message }) => message.includes("channel closed by RabbitMQ"))).toEqual([]);
  // The second delivery was not acked by the first one's end: left, it is in the queue again.
  handed[1]?.resolve({ do: "leave" });
  await consumption.stop();
  await transport[Symbol.asyncDispose]();
  await eventually(
    "it is in the queue",
    () => depth(names.work),
    (count) => count === 1,
  );
});
