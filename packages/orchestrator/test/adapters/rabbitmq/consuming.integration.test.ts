import { randomUUID } from "node:crypto";
import { eventually, testBroker } from "@speckit/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  namesOf,
  openRabbitTransport,
  type RabbitTransport,
  ROUTING_KEYS,
} from "../../../src/adapters/rabbitmq/index.ts";
import { type WakeUp, wakeUp } from "../../../src/contract/wake-up.ts";
import { failure } from "../../../src/domain/failure.ts";
import type {
  DeliveryVerdict,
  RequestDelivery,
  RequestVerdict,
  TransportHandlers,
} from "../../../src/ports/transport.ts";
import { type PlainClient, plainClient } from "./plain-client.ts";
import { recordingLogger } from "./recording-logger.ts";

const broker = testBroker();
const names = namesOf(broker.prefix);
const opened: RabbitTransport[] = [];
const releases: (() => void)[] = [];
let client: PlainClient;

async function openTransport(options: { giveBackAfterMs?: number } = {}): Promise<RabbitTransport> {
  const { logger } = recordingLogger();
  const transport = await openRabbitTransport({
    ...broker,
    deploymentId: "test",
    logger,
    ...options,
  });
  await transport.connected;
  opened.push(transport);
  return transport;
}

beforeEach(async () => {
  client = await plainClient(broker.url);
  await client.purge(broker.prefix);
});
afterEach(async () => {
  for (const release of releases.splice(0)) {
    release();
  }
  await Promise.all(opened.splice(0).map((transport) => transport[Symbol.asyncDispose]()));
  await client[Symbol.asyncDispose]();
});

const acked: DeliveryVerdict & RequestVerdict = { do: "ack" };

/** Records wake-ups, each held until `release`, or the end of the test. */
function holding() {
  const received: WakeUp[] = [];
  const released = Promise.withResolvers<void>();
  releases.push(released.resolve);
  const handlers: TransportHandlers = {
    async onWakeUp(one) {
      received.push(one);
      await released.promise;
      return acked;
    },
    onRequest: async () => acked,
  };
  return { handlers, received, release: released.resolve };
}

function publishRaw(exchange: string, key: string, body: string | Buffer, properties = {}): void {
  client.channel.publish(exchange, key, Buffer.from(body), properties);
}

describe("wake-ups", () => {
  test("publish_and_ack to a retry tier comes back to work through the real retry queue, once", async () => {
    const transport = await openTransport();
    const arrivals: number[] = [];
    const first = wakeUp(randomUUID());
    const consumption = await transport.consume(
      {
        async onWakeUp(received) {
          expect(received).toEqual(first);
          arrivals.push(performance.now());
          return arrivals.length === 1
            ? { do: "publish_and_ack", wakeUp: first, route: { to: "work", afterMs: 5_000 } }
            : acked;
        },
        onRequest: async () => acked,
      },
      { slots: 1 },
    );
    await transport.publishWakeUp(first, { to: "start" });
    await eventually("it comes back", () => arrivals.length === 2);
    const waitedMs = arrivals[1]! - arrivals[0]!;
    expect(waitedMs).toBeGreaterThan(4_900);
    expect(waitedMs).toBeLessThan(8_000);
    await consumption.stop();
    for (const queue of [names.start, names.work, names.retry(5_000)]) {
      expect(await client.channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
    }
  });

  test.each([
    ["start", "not json", "not a JSON document"],
    ["wake", '{"v":1}', "runId"],
    ["wake", Buffer.alloc(300_000, " "), "300000 bytes"],
  ])("what is no wake-up, with the key %s, is kept with its reason", async (key, body, why) => {
    const transport = await openTransport();
    const { handlers, received } = holding();
    await transport.consume(handlers, { slots: 1 });
    publishRaw(names.work, key, body, { correlationId: "mine", headers: { tenant: "blue" } });
    const dead = await client.take(names.dead);
    expect(dead.content).toEqual(Buffer.from(body));
    expect(dead.properties).toMatchObject({
      correlationId: "mine",
      headers: {
        tenant: "blue",
        "speckit-code": "WAKE_UP_UNREADABLE",
        "speckit-class": "bad_message",
        "speckit-reason": expect.stringContaining(why),
        "speckit-queue": key === "start" ? names.start : names.work,
      },
    });
    expect(received).toEqual([]);
  });

  test("while no slot is free, new runs stay in their queue for others", async () => {
    const transport = await openTransport();
    const hands = holding();
    await transport.consume(hands.handlers, { slots: 1 });
    await transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
    await eventually("the slot is taken", () => hands.received.length === 1);
    const consumers = async () => (await client.channel.checkQueue(names.start)).consumerCount;
    await eventually("it takes no new runs", consumers, (count) => count === 0);
    const other = wakeUp(randomUUID());
    await transport.publishWakeUp(other, { to: "start" });
    const { content } = await client.take(names.start);
    expect(JSON.parse(content.toString())).toEqual(other);
    const next = wakeUp(randomUUID());
    await transport.publishWakeUp(next, { to: "start" });
    expect(hands.received).toHaveLength(1);
    hands.release();
    await eventually("it takes new runs again", () => hands.received.length === 2);
    expect(hands.received[1]).toEqual(next);
  });

  test("new runs are shared between workers by their free slots", async () => {
    // A new run that is on its way to a worker while its last slot is taken is given back.
    const giveBackAfterMs = 200;
    const busy = await openTransport({ giveBackAfterMs });
    const idle = await openTransport({ giveBackAfterMs });
    const [hands, other] = [holding(), holding()];
    await busy.consume(hands.handlers, { slots: 3 });
    await busy.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
    await busy.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
    await eventually("two of three slots are taken", () => hands.received.length === 2);
    await idle.consume(other.handlers, { slots: 3 });
    for (let count = 0; count < 4; count += 1) {
      await busy.publishWakeUp(wakeUp(randomUUID()), { to: "start" });
    }
    await eventually(
      "nobody waits",
      () => hands.received.length + other.received.length,
      (all) => all === 6,
    );
    expect(hands.received).toHaveLength(3);
    expect(other.received).toHaveLength(3);
    hands.release();
    other.release();
  });

  test("a continuation that waits for a slot goes to a worker that has one", async () => {
    const busy = await openTransport({ giveBackAfterMs: 200 });
    const hands = holding();
    await busy.consume(hands.handlers, { slots: 1 });
    await busy.publishWakeUp(wakeUp(randomUUID()), { to: "start" });
    await eventually("the slot is taken", () => hands.received.length === 1);
    const continuation = wakeUp(randomUUID());
    await busy.publishWakeUp(continuation, { to: "work" });
    await eventually(
      "it waits in the busy worker's hands",
      () => client.channel.checkQueue(names.work),
      ({ messageCount }) => messageCount === 0,
    );
    const idle = await openTransport();
    const other = holding();
    await idle.consume(other.handlers, { slots: 1 });
    await eventually("the idle worker gets it", () => other.received.length === 1);
    expect(other.received).toEqual([continuation]);
    hands.release();
    other.release();
  });
});

describe("requests", () => {
  async function consumeRequests(onRequest: TransportHandlers["onRequest"]): Promise<void> {
    const transport = await openTransport();
    await transport.consume({ onRequest, onWakeUp: async () => acked }, { slots: 1 });
  }

  test("an accepted request is handed over with its reply address, and gone", async () => {
    const received: RequestDelivery[] = [];
    await consumeRequests(async (request) => {
      received.push(request);
      return acked;
    });
    publishRaw(names.requests, ROUTING_KEYS.request, "{}", { replyTo: "me", correlationId: "c" });
    publishRaw(names.requests, ROUTING_KEYS.request, "[]");
    await eventually("both are handled", () => received.length === 2);
    expect(
      received.map((request) => ({ ...request, body: Buffer.from(request.body).toString() })),
    ).toEqual([
      { kind: "request", body: "{}", replyTo: "me", correlationId: "c" },
      { kind: "request", body: "[]", replyTo: undefined, correlationId: undefined },
    ]);
    expect(await client.channel.checkQueue(names.dead)).toMatchObject({ messageCount: 0 });
  });

  test("a refused request is kept as it came, with the reason", async () => {
    await consumeRequests(async () => ({
      do: "dead_letter",
      failure: failure("REPOSITORY_NOT_ALLOWED", "The repository o/r is not on the allow-list"),
    }));
    publishRaw(names.requests, ROUTING_KEYS.request, '{"schemaVersion":1}', {
      contentType: "application/json",
      messageId: "m-1",
      replyTo: "me",
    });
    const dead = await client.take(names.dead);
    expect(dead.content.toString()).toBe('{"schemaVersion":1}');
    expect(dead.fields.routingKey).toBe("run.request");
    expect(dead.properties).toMatchObject({
      contentType: "application/json",
      messageId: "m-1",
      replyTo: "me",
      headers: {
        "speckit-code": "REPOSITORY_NOT_ALLOWED",
        "speckit-class": "bad_message",
        "speckit-reason": "The repository o/r is not on the allow-list",
        "speckit-queue": names.requests,
      },
    });
  });

  test("a request whose handler has a bug is kept, not lost", async () => {
    await consumeRequests(async () => {
      throw new Error("a bug");
    });
    publishRaw(names.requests, ROUTING_KEYS.request, "{}");
    const dead = await client.take(names.dead);
    expect(dead.properties.headers).toMatchObject({ "speckit-code": "INTERNAL_ERROR" });
  });

  test("requests are handled side by side, while all slots are busy too", async () => {
    const transport = await openTransport();
    const hands = holding();
    let atOnce = 0;
    const both = Promise.withResolvers<void>();
    await transport.consume(
      {
        onWakeUp: hands.handlers.onWakeUp,
        async onRequest() {
          atOnce += 1;
          if (atOnce === 2) {
            both.resolve();
          }
          await both.promise;
          return acked;
        },
      },
      { slots: 1 },
    );
    await transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
    await eventually("the slot is taken", () => hands.received.length === 1);
    publishRaw(names.requests, ROUTING_KEYS.request, "{}");
    publishRaw(names.requests, ROUTING_KEYS.request, "{}");
    await eventually("both are in hand at once", () => atOnce === 2);
    hands.release();
  });
});
