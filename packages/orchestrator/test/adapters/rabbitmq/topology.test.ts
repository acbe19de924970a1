import { describe, expect, test } from "vitest";
import { namesOf, topologyOf } from "../../../src/adapters/rabbitmq/index.ts";

describe("the topology", () => {
  const topology = topologyOf("speckit");

  test("every binding joins an exchange and a queue that are declared", () => {
    const exchanges = topology.exchanges.map(({ name }) => name);
    const queues = topology.queues.map(({ name }) => name);
    for (const binding of topology.bindings) {
      expect(exchanges).toContain(binding.exchange);
      expect(queues).toContain(binding.queue);
    }
  });

  test("every queue but the last resort dead-letters into a declared exchange, without loss", () => {
    const exchanges = topology.exchanges.map(({ name }) => name);
    for (const queue of topology.queues.filter(({ name }) => name !== "speckit.dead")) {
      expect(queue.arguments).toMatchObject({
        "x-queue-type": "quorum",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
      });
      expect(exchanges).toContain(queue.arguments["x-dead-letter-exchange"]);
    }
  });

  test("each retry tier waits its own time and hands over to the work exchange", () => {
    const waits = topology.queues
      .filter(({ name }) => name.startsWith("speckit.retry."))
      .map((queue) => [queue.name, queue.arguments["x-message-ttl"]]);
    expect(waits).toEqual([
      ["speckit.retry.5s", 5_000],
      ["speckit.retry.30s", 30_000],
      ["speckit.retry.2m", 120_000],
      ["speckit.retry.10m", 600_000],
      ["speckit.retry.30m", 1_800_000],
    ]);
    expect(namesOf("speckit").retry(120_000)).toBe("speckit.retry.2m");
  });

  test.each(["", "a b", ".x", "é", "x".repeat(101)])("refuses the prefix %j by name", (prefix) => {
    expect(() => topologyOf(prefix)).toThrow(
      expect.objectContaining({ code: "CONFIGURATION_INVALID" }),
    );
  });
});
