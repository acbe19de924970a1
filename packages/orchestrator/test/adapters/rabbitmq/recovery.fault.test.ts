import { randomUUID } from "node:crypto";
import { type PrivateBroker, startPrivateBroker } from "@speckit/private-broker";
import { eventually, tcpProxy, testBroker } from "@speckit/testkit";
import amqp from "amqplib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { brokerAddress } from "../../../src/adapters/rabbitmq/broker-address.ts";
import { closeSurely } from "../../../src/adapters/rabbitmq/close-surely.ts";
import {
  namesOf,
  openRabbitTransport,
  type RabbitTransportOptions,
  topologyOf,
} from "../../../src/adapters/rabbitmq/index.ts";
import { openConnection } from "../../../src/adapters/rabbitmq/open-connection.ts";
import { type Delivery, queueConsumer } from "../../../src/adapters/rabbitmq/queue-consumer.ts";
import { waitingNotice } from "../../../src/adapters/rabbitmq/waiting-notice.ts";
import { type WakeUp, wakeUp } from "../../../src/contract/wake-up.ts";
import type { DeliveryVerdict } from "../../../src/ports/transport.ts";
import { plainClient } from "./plain-client.ts";
import { recordingLogger } from "./recording-logger.ts";

const shared = testBroker();

beforeEach(async () => {
  await using client = await plainClient(shared.url);
  await client.purge(shared.prefix);
});

/** A transport that consumes with two slots; each wake-up is held until `release`. */
async function openWorker(
  options: Pick<RabbitTransportOptions, "url" | "prefix" | "confirmWithinMs">,
) {
  const { logger } = recordingLogger();
  const transport = await openRabbitTransport({ deploymentId: "test", logger, ...options });
  const received: WakeUp[] = [];
  let released = Promise.withResolvers<void>();
  const consumption = await transport.consume(
    {
      async onWakeUp(one) {
        received.push(one);
        await released.promise;
        return { do: "ack" };
      },
      onRequest: async () => ({ do: "ack" }),
    },
    { slots: 2 },
  );
  return {
    transport,
    consumption,
    received,
    release() {
      released.resolve();
      released = Promise.withResolvers();
      released.resolve();
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

describe("a connection that breaks", () => {
  test("is made again, and what was not acked is delivered again", async () => {
    await using proxy = await tcpProxy(shared.url);
    await using worker = await openWorker({ ...shared, url: proxy.url });
    const sent = wakeUp(randomUUID());
    await worker.transport.publishWakeUp(sent, { to: "work" });
    await eventually("it is in hand", () => worker.received.length === 1);
    proxy.cut();
    await eventually("it comes again", () => worker.received.length === 2);
    expect(worker.received).toEqual([sent, sent]);
    worker.release();
    await eventually("new ones come", async () => {
      await worker.transport.publishWakeUp(wakeUp(randomUUID()), { to: "start" });
      return worker.received.length > 2;
    });
    await worker.consumption.stop();
    await using client = await plainClient(shared.url);
    const { messageCount } = await client.channel.checkQueue(namesOf(shared.prefix).work);
    expect(messageCount).toBe(0);
  });

  test("again and again, also in the middle of being made, is always made again", async () => {
    await using proxy = await tcpProxy(shared.url);
    await using worker = await openWorker({ ...shared, url: proxy.url });
    for (let round = 0; round < 15; round += 1) {
      proxy.cut();
      await eventually("a connection is tried", () => proxy.connections() > 0);
      // Somewhere between the handshake and the last declaration: 0 to 70 ms.
      await new Promise((resolve) => setTimeout(resolve, round * 5));
    }
    worker.release();
    const sent = wakeUp(randomUUID());
    await eventually("it publishes", () =>
      worker.transport.publishWakeUp(sent, { to: "work" }).then(() => true),
    );
    await eventually("it consumes", () =>
      worker.received.some(({ runId }) => runId === sent.runId),
    );
  });
});

test("a broker that stops answering while everything is declared is given up, and another connection made", async () => {
  await using proxy = await tcpProxy(shared.url);
  const { logger, lines } = recordingLogger();
  const address = brokerAddress(shared.url);
  for (const intoItMs of [10, 25, 40]) {
    const connection = await openConnection({
      address: brokerAddress(proxy.url),
      name: "test",
      topology: topologyOf(shared.prefix),
      notice: waitingNotice(address.description, logger),
      logger,
      setUpWithinMs: 1_000,
    });
    await eventually("a connection is tried", () => proxy.connections() > 0, Boolean, {
      everyMs: 1,
    });
    // Somewhere between the handshake and the last declaration.
    await new Promise((resolve) => setTimeout(resolve, intoItMs));
    proxy.mute();
    await connection.connected;
    await connection.close();
  }
  expect(JSON.stringify(lines)).toContain("no answer to a declaration within 1000 ms");
});

describe("a close that crosses the end of its connection", () => {
  test.each(["channel", "connection"] as const)("of a %s comes to its end", async (what) => {
    await using proxy = await tcpProxy(shared.url);
    const connection = await amqp.connect(proxy.url, { noDelay: true });
    connection.on("error", () => {});
    const channel = await connection.createChannel();
    proxy.mute();
    const closing = closeSurely(what === "channel" ? channel : connection);
    let isOver = false;
    void closing.then(() => {
      isOver = true;
    });
    proxy.cut();
    await eventually("it is closed", () => isOver);
  });
});

describe("a channel that ends while its connection lives", () => {
  async function openConsumer(prefix: string) {
    const { logger } = recordingLogger();
    const address = brokerAddress(shared.url);
    const connection = await openConnection({
      address,
      name: "test",
      topology: topologyOf(prefix),
      notice: waitingNotice(address.description, logger),
      logger,
    });
    const deliveries: Delivery[] = [];
    const consumer = queueConsumer({
      queue: namesOf(prefix).work,
      connection,
      logger,
      take: { atOnce: 5 },
      onDelivery: (delivery) => deliveries.push(delivery),
    });
    await consumer.ready;
    return {
      deliveries,
      async [Symbol.asyncDispose]() {
        await consumer.close();
        await connection.close();
      },
    };
  }

  test("by an error is opened again, and the old one's deliveries are not acked on it", async () => {
    await using client = await plainClient(shared.url);
    const { work } = namesOf(shared.prefix);
    await using consumer = await openConsumer(shared.prefix);
    client.channel.publish(work, "wake", Buffer.from("1"));
    client.channel.publish(work, "wake", Buffer.from("2"));
    await eventually("both are delivered", () => consumer.deliveries.length === 2);
    const [first, second] = consumer.deliveries;
    // RabbitMQ answers the second ack of the same delivery with 406 and closes the channel.
    first!.ack();
    first!.ack();
    await eventually("the other one comes again", () => consumer.deliveries.length === 3);
    const again = consumer.deliveries[2]!;
    expect(again.message.content.toString()).toBe("2");
    expect(again.message.fields.redelivered).toBe(true);
    expect(second!.isOurs()).toBe(false);
    second!.ack();
    expect(again.isOurs()).toBe(true);
    again.ack();
    await consumer[Symbol.asyncDispose]();
    expect((await client.channel.checkQueue(work)).messageCount).toBe(0);
  });

  test("because its queue was deleted is opened again, and the queue is there again", async () => {
    await using client = await plainClient(shared.url);
    const { work } = namesOf(shared.prefix);
    await using consumer = await openConsumer(shared.prefix);
    await client.channel.deleteQueue(work);
    await eventually("a message is delivered", () => {
      client.channel.publish(work, "wake", Buffer.from("1"));
      return consumer.deliveries.length > 0;
    });
    for (const delivery of consumer.deliveries) {
      delivery.ack();
    }
    await client.channel.purgeQueue(work);
  });
});

describe("a broker that breaks", () => {
  let broker: PrivateBroker;
  beforeAll(async () => {
    broker = await startPrivateBroker();
  });
  afterAll(() => broker.stop());

  test("short of memory: publishing waits to its deadline, consuming goes on, all is well after", async () => {
    await using worker = await openWorker({
      url: broker.url,
      prefix: "memory",
      confirmWithinMs: 1_500,
    });
    const inHand = wakeUp(randomUUID());
    await worker.transport.publishWakeUp(inHand, { to: "work" });
    await eventually("it is in hand", () => worker.received.length === 1);
    await broker.control(["set_vm_memory_high_watermark", "0"]);
    await expect(
      worker.transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" }),
    ).rejects.toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringContaining("memory"),
    });
    expect(worker.transport.health().connected).toBe(true);
    worker.release();
    const unacked = async () => {
      const rows = await broker.control(["list_queues", "name", "messages_unacknowledged"]);
      return rows.includes("memory.work\t0");
    };
    await eventually("the delivery is acked all the same", unacked, Boolean, { withinMs: 20_000 });
    await broker.control(["set_vm_memory_high_watermark", "0.4"]);
    const sent = wakeUp(randomUUID());
    await eventually("it publishes again", () =>
      worker.transport.publishWakeUp(sent, { to: "start" }).then(() => true),
    );
    await eventually("it consumes", () =>
      worker.received.some(({ runId }) => runId === sent.runId),
    );
  });

  test("F10: a queue that is full refuses: what is in hand stays there until its successor is safe", async () => {
    const prefix = "full";
    const { logger, lines } = recordingLogger();
    await using transport = await openRabbitTransport({
      url: broker.url,
      prefix,
      deploymentId: "test",
      logger,
    });
    const { start } = namesOf(prefix);
    const first = wakeUp(randomUUID());
    const received: WakeUp[] = [];
    const decided = Promise.withResolvers<DeliveryVerdict>();
    const consumption = await transport.consume(
      {
        onWakeUp(one) {
          received.push(one);
          return received.length === 1 ? decided.promise : Promise.resolve({ do: "ack" });
        },
        onRequest: async () => ({ do: "ack" }),
      },
      { slots: 1 },
    );
    await transport.publishWakeUp(first, { to: "work" });
    await using client = await plainClient(broker.url);
    await eventually(
      "the only slot is taken, and no new run is",
      () => client.channel.checkQueue(start),
      ({ consumerCount }) => received.length === 1 && consumerCount === 0,
    );
    await broker.control(["set_policy", "full", `^${prefix}[.]start$`, '{"max-length":1}']);
    // The limit counts what the queue knows of: a few more may slip in.
    const refusal = await eventually("a publish is refused", () =>
      transport.publishWakeUp(wakeUp(randomUUID()), { to: "start" }).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    expect(refusal).toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringContaining("the queue is full"),
    });
    decided.resolve({ do: "publish_and_ack", wakeUp: first, route: { to: "start" } });
    const kept = () =>
      lines.filter(({ message }) => message.includes("its successor is not published yet"));
    await eventually("it is tried again", () => kept().length >= 2);
    expect(received).toEqual([first]);
    await client.channel.purgeQueue(start);
    await eventually("the successor comes", () => received.length === 2);
    expect(received).toEqual([first, first]);
    await consumption.stop();
    await broker.control(["clear_policy", "full"]);
    const unacked = await broker.control(["list_queues", "name", "messages"]);
    expect(unacked).toContain("full.work\t0");
    expect(unacked).toContain("full.start\t0");
  });

  test("F8: killed and started again on its data: no confirmed wake-up is lost, consuming goes on", async () => {
    await using worker = await openWorker({ url: broker.url, prefix: "killed" });
    const sent = Array.from({ length: 5 }, () => wakeUp(randomUUID()));
    for (const one of sent) {
      await worker.transport.publishWakeUp(one, { to: "start" });
    }
    await eventually("both slots are taken", () => worker.received.length === 2);
    await broker.restart({ kill: true });
    worker.release();
    await eventually(
      "every wake-up was handled",
      () => new Set(worker.received.map(({ runId }) => runId)),
      (seen) => sent.every(({ runId }) => seen.has(runId)),
      { withinMs: 30_000 },
    );
    const last = wakeUp(randomUUID());
    await eventually("it publishes", () =>
      worker.transport.publishWakeUp(last, { to: "work" }).then(() => true),
    );
    await eventually("it consumes", () =>
      worker.received.some(({ runId }) => runId === last.runId),
    );
  });
});
