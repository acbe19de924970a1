import { eventually, testBroker } from "@speckit/testkit";
import { afterAll, beforeEach, expect, test } from "vitest";
import { deadLetter } from "../../../src/adapters/rabbitmq/dead-letter.ts";
import { namesOf, openDeadLetters } from "../../../src/adapters/rabbitmq/index.ts";
import { failure } from "../../../src/domain/failure.ts";
import { plainClient } from "./plain-client.ts";

const broker = testBroker();
const names = namesOf(broker.prefix);
const client = await plainClient(broker.url);

let buriedSoFar = 0;

beforeEach(async () => {
  await client.purge(broker.prefix);
  buriedSoFar = 0;
});
afterAll(() => client[Symbol.asyncDispose]());

/** Buries messages as a worker does. */
const bury = (...bodies: readonly string[]) => buryWithKey("run.request", ...bodies);

async function buryWithKey(routingKey: string, ...bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    const message = {
      content: Buffer.from(body),
      fields: { routingKey },
      properties: { headers: {}, replyTo: "somewhere", correlationId: "c-1" },
    } as unknown as Parameters<typeof deadLetter>[2];
    const reason = failure("REQUEST_INVALID", `not good: ${body}`);
    const letter = deadLetter(names.dead, names.requests, message, reason);
    client.channel.publish(letter.exchange, routingKey, Buffer.from(body), letter.properties);
  }
  // All of them, before anybody looks: a look that crosses arrivals turns the order.
  buriedSoFar += bodies.length;
  await eventually(
    "all are in the queue",
    () => client.channel.checkQueue(names.dead),
    ({ messageCount }) => messageCount === buriedSoFar,
  );
}

const bodies = (letters: readonly { readonly body: Uint8Array }[]) =>
  letters.map(({ body }) => Buffer.from(body).toString());

test("looking shows what is there in its order and leaves it so, however often", async () => {
  await bury("one", "two", "three");
  await using letters = await openDeadLetters(broker);
  for (let look = 0; look < 25; look += 1) {
    expect(bodies(await letters.list(10))).toEqual(["one", "two", "three"]);
  }
  expect(bodies(await letters.list(2))).toEqual(["one", "two"]);
  expect(bodies(await letters.list(10))).toEqual(["one", "two", "three"]);
});

test("a look leaves each message once, also when its connection is closed at once", async () => {
  await bury("one", "two");
  await (await openDeadLetters(broker))[Symbol.asyncDispose]();
  for (let look = 0; look < 10; look += 1) {
    await using letters = await openDeadLetters(broker);
    expect(bodies(await letters.list(10))).toEqual(["one", "two"]);
  }
});

test("a look at a long queue leaves each message once, in its order", async () => {
  const many = Array.from({ length: 150 }, (_, ix) => `letter ${ix}`);
  await bury(...many);
  for (let look = 0; look < 5; look += 1) {
    await using letters = await openDeadLetters(broker);
    expect(bodies(await letters.list(1_000))).toEqual(many);
  }
  await using letters = await openDeadLetters(broker);
  expect(bodies(await letters.list(1_000))).toEqual(many);
});

test("each tells its reason and is found by its id", async () => {
  await bury("one", "two");
  await using letters = await openDeadLetters(broker);
  const [, second] = await letters.list(10);
  expect(second).toMatchObject({
    code: "REQUEST_INVALID",
    reason: "not good: two",
    queue: names.requests,
    routingKey: "run.request",
  });
  expect(await letters.find(second?.id ?? "")).toEqual(second);
  expect(await letters.find("nobody")).toBeUndefined();
});

test("a replayed one goes to where it was meant for, corrected, and is gone here", async () => {
  await bury("one", "two");
  await using letters = await openDeadLetters(broker);
  const [first] = await letters.list(10);
  expect(await letters.replay(first?.id ?? "", Buffer.from("better"))).toBe(true);
  const { content, fields, properties } = await client.take(names.requests);
  expect(content.toString()).toBe("better");
  expect(fields.routingKey).toBe("run.request");
  expect(properties).toMatchObject({ replyTo: "somewhere", correlationId: "c-1" });
  expect(JSON.stringify(properties.headers)).not.toContain("speckit-");
  expect(bodies(await letters.list(10))).toEqual(["two"]);
  expect(await letters.replay(first?.id ?? "")).toBe(false);
});

test("one that came past the door, by the queue's own name, is replayed too", async () => {
  await buryWithKey(names.requests, "one");
  await using letters = await openDeadLetters(broker);
  const [first] = await letters.list(10);
  expect(await letters.replay(first?.id ?? "")).toBe(true);
  const { content, fields } = await client.take(names.requests);
  expect([content.toString(), fields.routingKey]).toEqual(["one", "run.request"]);
});

test("a broker that is not there, or refuses us, is told by its code", async () => {
  await expect(openDeadLetters({ url: "amqp://127.0.0.1:1" })).rejects.toMatchObject({
    code: "BROKER_UNAVAILABLE",
  });
  const url = new URL(broker.url);
  url.password = "wrong";
  await expect(openDeadLetters({ url: url.href })).rejects.toMatchObject({
    code: "SERVICE_REFUSED",
  });
});
