import { randomUUID } from "node:crypto";
import type { ConsumeMessage } from "amqplib";
import { describe, expect, test } from "vitest";
import { deadLetter } from "../../../src/adapters/rabbitmq/dead-letter.ts";
import { readWakeUp, wakeUpPublication } from "../../../src/adapters/rabbitmq/wake-up-message.ts";
import { wakeUp } from "../../../src/contract/wake-up.ts";
import { failure } from "../../../src/domain/failure.ts";

describe("a wake-up's message", () => {
  const sent = wakeUp(randomUUID());

  test.each([
    [{ to: "start" }, "p.work", "start"],
    [{ to: "work" }, "p.work", "wake"],
    [{ to: "work", afterMs: 5_000 }, "p.retry.5s", "wake"],
    [{ to: "work", afterMs: 1_800_000 }, "p.retry.30m", "wake"],
  ] as const)("to %j goes through %s with the key %s", (route, exchange, routingKey) => {
    expect(wakeUpPublication("p", sent, route)).toMatchObject({
      exchange,
      routingKey,
      mustBeRouted: true,
    });
  });

  test("is read back as it was sent", () => {
    const { body } = wakeUpPublication("p", sent, { to: "work" });
    expect(readWakeUp(body)).toEqual({ wakeUp: sent });
  });

  test.each([
    ["", /not a JSON document/],
    ["{", /not a JSON document/],
    ["null", /expected object/],
    [`{"v":2,"runId":"${sent.runId}"}`, /v: .*expected 1/],
    ['{"v":1,"runId":"7"}', /runId: .*UUID/],
    [`{"v":1,"runId":"${sent.runId}","epoch":3}`, /epoch/],
    [" ".repeat(5_000), /5000 bytes/],
  ])("is told from %j", (text, why) => {
    const read = readWakeUp(Buffer.from(text));
    expect(read).toMatchObject({ failure: { code: "WAKE_UP_UNREADABLE", class: "bad_message" } });
    expect("failure" in read && read.failure.message).toMatch(why);
  });
});

describe("a dead letter", () => {
  const refused = failure("REQUEST_NOT_JSON", "The request is empty, expected a JSON object");
  const message = {
    content: Buffer.from([0, 1, 255]),
    fields: { routingKey: "run.request" },
    properties: {
      contentType: "application/json",
      correlationId: "c-1",
      messageId: "m-1",
      expiration: "5000",
      userId: "bob",
      headers: {
        tenant: "blue",
        "x-death": [{ count: 3 }],
        large: "x".repeat(2_000),
        table: { a: 1 },
        "speckit-code": "forged",
      },
    },
  } as unknown as ConsumeMessage;

  test("keeps body and properties, and says why in headers", () => {
    expect(deadLetter("p.dead", "p.requests", message, refused)).toEqual({
      exchange: "p.dead",
      routingKey: "run.request",
      body: message.content,
      mustBeRouted: true,
      properties: {
        contentType: "application/json",
        correlationId: "c-1",
        messageId: "m-1",
        headers: {
          tenant: "blue",
          "speckit-dead-id": expect.any(String),
          "speckit-code": "REQUEST_NOT_JSON",
          "speckit-class": "bad_message",
          "speckit-reason": refused.message,
          "speckit-queue": "p.requests",
        },
      },
    });
  });

  test("a bare one has nothing of its sender but the body", () => {
    const { body, properties } = deadLetter("p.dead", "q", message, refused, { bare: true });
    expect(body).toBe(message.content);
    expect(Object.keys(properties)).toEqual(["headers"]);
    expect(Object.keys(properties.headers)).not.toContain("tenant");
  });
});
