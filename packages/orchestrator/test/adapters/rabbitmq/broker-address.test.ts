import { describe, expect, test } from "vitest";
import { brokerAddress } from "../../../src/adapters/rabbitmq/broker-address.ts";

describe("the broker's address", () => {
  test.each([
    ["amqp://bob:secret@broker.example/vhost", "RabbitMQ at broker.example:5672"],
    ["amqps://bob:secret@broker.example", "RabbitMQ at broker.example:5671"],
    ["amqp://127.0.0.1:5673", "RabbitMQ at 127.0.0.1:5673"],
  ])("is told without credentials", (url, description) => {
    expect(brokerAddress(url).description).toBe(description);
  });

  test("gets a heartbeat unless it has one", () => {
    expect(brokerAddress("amqp://h/v").url).toBe("amqp://h/v?heartbeat=15");
    expect(brokerAddress("amqp://h/v?heartbeat=3").url).toBe("amqp://h/v?heartbeat=3");
  });

  test.each(["", "localhost:5672", "http://bob:secret@h", "amqp://"])(
    "refuses %j without showing it",
    (url) => {
      expect(() => brokerAddress(url)).toThrow(
        expect.objectContaining({
          code: "CONFIGURATION_INVALID",
          message: expect.not.stringContaining("secret"),
        }),
      );
    },
  );
});
