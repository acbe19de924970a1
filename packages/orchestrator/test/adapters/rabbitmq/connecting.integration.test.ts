import { randomUUID } from "node:crypto";
import { eventually, tcpProxy, testBroker } from "@speckit/testkit";
import { describe, expect, test } from "vitest";
import { namesOf, openRabbitTransport, topologyOf } from "../../../src/adapters/rabbitmq/index.ts";
import { wakeUp } from "../../../src/contract/wake-up.ts";
import { plainClient } from "./plain-client.ts";
import { recordingLogger } from "./recording-logger.ts";

const broker = testBroker();
const handlers = {
  onWakeUp: async () => ({ do: "ack" }) as const,
  onRequest: async () => ({ do: "ack" }) as const,
};

function open(url = broker.url, prefix = broker.prefix) {
  const { logger, lines } = recordingLogger();
  const opened = openRabbitTransport({ url, prefix, deploymentId: "test", logger });
  return opened.then((transport) => ({ transport, lines }));
}

describe("connecting", () => {
  test("declares everything, also when several do it at once and it is there already", async () => {
    const all = await Promise.all([open(), open(), open()]);
    await Promise.all(all.map(({ transport }) => transport.connected));
    await using client = await plainClient(broker.url);
    for (const { name } of topologyOf(broker.prefix).queues) {
      await client.channel.checkQueue(name);
    }
    for (const { name } of topologyOf(broker.prefix).exchanges) {
      await client.channel.checkExchange(name);
    }
    await Promise.all(all.map(({ transport }) => transport[Symbol.asyncDispose]()));
  });

  test.each([
    ["a wrong password", (url: URL) => (url.password = "wrong"), /user or the password/],
    ["an unknown virtual host", (url: URL) => (url.pathname = "/nowhere"), /virtual host/],
  ])("%s is refused at once, not waited for", async (_what, change, message) => {
    const url = new URL(broker.url);
    change(url);
    const { transport } = await open(url.href);
    const refusal = { code: "SERVICE_REFUSED", message: expect.stringMatching(message) };
    await expect(transport.connected).rejects.toMatchObject(refusal);
    await expect(transport.consume(handlers, { slots: 1 })).rejects.toMatchObject(refusal);
    const publishing = transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
    await expect(publishing).rejects.toMatchObject(refusal);
    expect(transport.health().connected).toBe(false);
    await transport[Symbol.asyncDispose]();
  });

  test("a queue of the same name with other settings is a conflict that names it", async () => {
    const prefix = `${broker.prefix}x`;
    await using client = await plainClient(broker.url);
    await client.channel.assertQueue(namesOf(prefix).work, { durable: true });
    const { transport } = await open(broker.url, prefix);
    await expect(transport.connected).rejects.toMatchObject({
      code: "TOPOLOGY_CONFLICT",
      message: expect.stringContaining(namesOf(prefix).work),
    });
    await transport[Symbol.asyncDispose]();
    const { queues, exchanges } = topologyOf(prefix);
    for (const { name } of queues) {
      await client.channel.deleteQueue(name);
    }
    for (const { name } of exchanges) {
      await client.channel.deleteExchange(name);
    }
  });

  test("a broker that is not there yet is waited for, told once, and consumed when it comes", async () => {
    await using proxy = await tcpProxy(broker.url);
    proxy.refuse();
    const { transport, lines } = await open(proxy.url);
    await eventually("the wait is told", () => lines.some(({ level }) => level === "warn"));
    expect(transport.health()).toEqual({
      connected: false,
      description: `RabbitMQ at 127.0.0.1:${new URL(proxy.url).port}`,
    });
    const consuming = transport.consume(handlers, { slots: 1 });
    proxy.accept();
    const consumption = await consuming;
    expect(transport.health().connected).toBe(true);
    expect(
      lines.filter(({ message }) => message.startsWith("waiting for RabbitMQ at 127")),
    ).toHaveLength(1);
    await consumption.stop();
    await transport[Symbol.asyncDispose]();
    await eventually("no connection is left", proxy.connections, (count) => count === 0);
  });

  test("a wait can be given up", async () => {
    const { transport } = await open("amqp://127.0.0.1:1");
    const publishing = transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
    const rejection = expect(publishing).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
    await transport[Symbol.asyncDispose]();
    await rejection;
    await expect(transport.connected).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
  });
});
