import { randomUUID } from "node:crypto";
import { eventually, tcpProxy, testBroker } from "@speckit/testkit";
import type { GetMessage } from "amqplib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  namesOf,
  openRunRequestPublisher,
  ROUTING_KEYS,
  type RunRequestPublisher,
  type RunRequestPublisherOptions,
} from "../../../src/adapters/rabbitmq/index.ts";
import type { RunRejected, RunRequest, RunResult } from "../../../src/contract/index.ts";
import { failure } from "../../../src/domain/failure.ts";
import { type PlainClient, plainClient } from "./plain-client.ts";

const broker = testBroker();
const names = namesOf(broker.prefix);
let client: PlainClient;
let publisher: RunRequestPublisher;

const open = (options: Partial<RunRequestPublisherOptions> = {}) =>
  openRunRequestPublisher({ ...broker, askAgainMs: 30_000, ...options });

beforeAll(async () => {
  client = await plainClient(broker.url);
  publisher = await open();
});
afterAll(async () => {
  await publisher[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
});
beforeEach(() => client.purge(broker.prefix));

const wanted: RunRequest = {
  schemaVersion: 1,
  repository: "acme/shop",
  specifyText: "Add OAuth login",
};

const bodyOf = ({ content }: GetMessage): RunRequest => JSON.parse(content.toString());

function result(runId: string, status: RunResult["status"]): RunResult {
  return {
    runId,
    status,
    repository: "acme/shop",
    branch: "speckit/add-oauth-login-01234567",
    pushed: status === "succeeded",
    baseSha: null,
    headSha: null,
    featureDirectory: null,
    agent: "scripted",
    phases: [],
    openQuestions: [],
    assumptions: [],
    usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: 0 },
    diff: { files: 0, insertions: 0, deletions: 0 },
    artifacts: [],
  };
}

/** What a worker in any language does with the next request. */
async function answerNext(make: (runId: string) => RunResult | RunRejected): Promise<GetMessage> {
  const message = await client.take(names.requests);
  answer(message, make(String(bodyOf(message).runId)));
  return message;
}

function answer({ properties }: GetMessage, body: RunResult | RunRejected): void {
  const { replyTo, correlationId } = properties;
  client.channel.sendToQueue(String(replyTo), Buffer.from(JSON.stringify(body)), {
    persistent: true,
    correlationId,
  });
}

async function consumersOf(queue: string): Promise<number | "gone"> {
  const looking = await plainClient(broker.url);
  try {
    return (await looking.channel.checkQueue(queue)).consumerCount;
  } catch {
    return "gone";
  } finally {
    await looking[Symbol.asyncDispose]();
  }
}

describe("publishing a request", () => {
  test("it waits in the queue of the workers, persistent, with an id that was made for it", async () => {
    const { runId } = await publisher.publish(wanted);
    const message = await client.take(names.requests);
    expect(bodyOf(message)).toEqual({ ...wanted, runId });
    expect(message.properties).toMatchObject({
      deliveryMode: 2,
      contentType: "application/json",
      replyTo: undefined,
    });
  });

  test("the caller's own id is kept", async () => {
    const runId = randomUUID().toUpperCase();
    const published = await publisher.publish({ ...wanted, runId });
    expect(published.runId).toBe(runId.toLowerCase());
    expect(bodyOf(await client.take(names.requests))).toEqual({ ...wanted, runId });
  });

  test("the same idempotency key makes the same message, from any process", async () => {
    await using other = await open();
    const keyed = { ...wanted, idempotencyKey: "ticket-4711" };
    const ids = [await publisher.publish(keyed), await other.publish(keyed)];
    expect(ids[0]).toEqual(ids[1]);
    const [first, second] = [await client.take(names.requests), await client.take(names.requests)];
    expect(first.content).toEqual(second.content);
    expect(await publisher.publish({ ...wanted, idempotencyKey: "ticket-4712" })).not.toEqual(
      ids[0],
    );
  });

  test("a request without the documented shape is refused before anything is sent", async () => {
    const wrong = { ...wanted, priority: 1 } as RunRequest;
    await expect(publisher.publish(wrong)).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      message: expect.stringContaining("priority"),
    });
    await expect(
      publisher.publish({ ...wanted, specifyText: "x".repeat(300_000) }),
    ).rejects.toMatchObject({ code: "REQUEST_TOO_LARGE" });
    expect((await client.channel.checkQueue(names.requests)).messageCount).toBe(0);
  });

  test("a queue that lost its binding gets it back, and then the request", async () => {
    await client.channel.unbindQueue(names.requests, names.requests, ROUTING_KEYS.request);
    const { runId } = await publisher.publish(wanted);
    expect(bodyOf(await client.take(names.requests)).runId).toBe(runId);
  });

  test("a request that reaches no queue is an error, for who may not declare one", async () => {
    await using bare = await open({ declaresDoor: false, publishWithinMs: 500 });
    await client.channel.unbindQueue(names.requests, names.requests, ROUTING_KEYS.request);
    await expect(bare.publish(wanted)).rejects.toMatchObject({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringContaining("no queue"),
    });
  });

  test("a broker that cannot be reached is an error in time", async () => {
    await using proxy = await tcpProxy(broker.url);
    proxy.refuse();
    await using away = await open({ url: proxy.url, publishWithinMs: 300 });
    await expect(away.publish(wanted)).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
    await expect(away.request(wanted)).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
    proxy.accept();
    await eventually("it publishes", () => away.publish(wanted).then(() => true));
  });

  test("connections that are cut meanwhile cost no request, and make no second run", async () => {
    await using proxy = await tcpProxy(broker.url);
    await using cut = await open({ url: proxy.url });
    const published: string[] = [];
    for (let count = 0; count < 10; count += 1) {
      const publishing = cut.publish({ ...wanted, externalRef: String(count) });
      proxy.cut();
      published.push((await publishing).runId);
    }
    const { messageCount } = await client.channel.checkQueue(names.requests);
    const arrived = [];
    for (let count = 0; count < messageCount; count += 1) {
      arrived.push(String(bodyOf(await client.take(names.requests)).runId));
    }
    expect(new Set(arrived)).toEqual(new Set(published));
  });
});

describe("requesting a result", () => {
  test("it comes when the run has ended, whatever the outcome", async () => {
    for (const status of ["succeeded", "failed", "cancelled", "no_changes"] as const) {
      const [got] = await Promise.all([
        publisher.request(wanted),
        answerNext((runId) => result(runId, status)),
      ]);
      expect(got.status).toBe(status);
    }
  });

  test("each of many at once gets its own", async () => {
    const refs = Array.from({ length: 30 }, (_, ix) => `ref-${ix}`);
    const asked = refs.map((externalRef) => publisher.request({ ...wanted, externalRef }));
    const messages = [];
    for (const _ of refs) {
      messages.push(await client.take(names.requests));
    }
    for (const message of messages.reverse()) {
      const { runId, externalRef } = bodyOf(message);
      answer(message, { ...result(String(runId), "succeeded"), externalRef: String(externalRef) });
    }
    expect((await Promise.all(asked)).map((got) => got.externalRef)).toEqual(refs);
  });

  test("a refusal is thrown with its code, message and remedy", async () => {
    const refused = failure("BRANCH_BUSY", "Branch x belongs to another run");
    await Promise.all([
      expect(publisher.request(wanted)).rejects.toMatchObject({
        code: "BRANCH_BUSY",
        message: refused.message,
        failure: refused,
      }),
      answerNext((runId) => ({ status: "rejected", runId, failure: refused })),
    ]);
  });

  test("a run that goes on, or a reply that is lost, is asked for again with the same message", async () => {
    await using impatient = await open({ askAgainMs: 200 });
    const asking = impatient.request(wanted);
    const lost = await client.take(names.requests);
    const again = await answerNext((runId) => result(runId, "in_progress"));
    await answerNext((runId) => result(runId, "succeeded"));
    expect(again.content).toEqual(lost.content);
    expect((await asking).status).toBe("succeeded");
  });

  test("a reply that comes while the connection is away is there afterwards", async () => {
    await using proxy = await tcpProxy(broker.url);
    await using away = await open({ url: proxy.url });
    const asking = away.request(wanted);
    const message = await client.take(names.requests);
    proxy.refuse();
    proxy.cut();
    await eventually(
      "the broker has noticed",
      () => consumersOf(String(message.properties.replyTo)),
      (consumers) => consumers === 0,
    );
    answer(message, result(String(bodyOf(message).runId), "succeeded"));
    proxy.accept();
    expect((await asking).status).toBe("succeeded");
  });

  test("who will not wait any longer is told how the run stands", async () => {
    const asking = publisher.request(wanted, { timeoutMs: 700 });
    await Promise.all([
      expect(asking).rejects.toMatchObject({
        code: "RESULT_NOT_IN_TIME",
        message: expect.stringContaining("it is in_progress"),
      }),
      answerNext((runId) => result(runId, "in_progress")),
    ]);
  });

  test("closing ends every wait and takes the reply queue away", async () => {
    const closing = await open();
    const asking = closing.request(wanted);
    const outcome = expect(asking).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
    const { properties } = await client.take(names.requests);
    expect(await consumersOf(String(properties.replyTo))).toBe(1);
    await closing[Symbol.asyncDispose]();
    await outcome;
    expect(await consumersOf(String(properties.replyTo))).toBe("gone");
  });
});

test("a request may be published before the first worker has started", async () => {
  await client.channel.deleteQueue(names.requests);
  await client.channel.deleteExchange(names.requests);
  await using bare = await open({ declaresDoor: false, publishWithinMs: 300 });
  await expect(bare.publish(wanted)).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
  await using early = await open();
  const { runId } = await early.publish(wanted);
  expect(bodyOf(await client.take(names.requests)).runId).toBe(runId);
});
