import type { ConsumeMessage } from "amqplib";
import { describe, expect, test } from "vitest";
import { publishThenAck } from "../../../src/adapters/rabbitmq/publish-then-ack.ts";
import type { Delivery } from "../../../src/adapters/rabbitmq/queue-consumer.ts";
import { recordingLogger } from "./recording-logger.ts";

function deliveryOf(log: string[]) {
  const lost = Promise.withResolvers<void>();
  let isOurs = true;
  const delivery: Delivery = {
    queue: "q",
    message: {} as ConsumeMessage,
    isOurs: () => isOurs,
    lost: lost.promise,
    ack: () => log.push("ack"),
  };
  return {
    delivery,
    lose() {
      isOurs = false;
      lost.resolve();
    },
  };
}

describe("publish, then ack", () => {
  const { logger } = recordingLogger();

  test("acks only when the publish has worked, however often it failed before", async () => {
    const log: string[] = [];
    const { delivery } = deliveryOf(log);
    await publishThenAck(
      delivery,
      async (failures) => {
        log.push(`publish ${failures}`);
        if (failures < 2) {
          throw new Error("the broker is away");
        }
      },
      { logger, stopping: new AbortController().signal },
    );
    expect(log).toEqual(["publish 0", "publish 1", "publish 2", "ack"]);
  });

  test("stops trying when the delivery is lost, and does not ack it", async () => {
    const log: string[] = [];
    const { delivery, lose } = deliveryOf(log);
    await publishThenAck(
      delivery,
      async () => {
        log.push("publish");
        lose();
        throw new Error("the broker is away");
      },
      { logger, stopping: new AbortController().signal },
    );
    expect(log).toEqual(["publish"]);
  });

  test("while stopping, one failure leaves the delivery to the broker", async () => {
    const log: string[] = [];
    const { delivery } = deliveryOf(log);
    await publishThenAck(
      delivery,
      async () => {
        log.push("publish");
        throw new Error("the broker is away");
      },
      { logger, stopping: AbortSignal.abort() },
    );
    expect(log).toEqual(["publish"]);
  });
});
