import { setTimeout as sleep } from "node:timers/promises";
import { testBroker } from "@speckit/testkit";
import { namesOf, openRabbitTransport } from "../../../src/adapters/rabbitmq/index.ts";
import { describeTransport } from "../../../src/testing/transport-contract.ts";
import { plainClient } from "./plain-client.ts";
import { recordingLogger } from "./recording-logger.ts";

const broker = testBroker();

describeTransport("RabbitMQ", async () => {
  const { logger } = recordingLogger();
  const client = await plainClient(broker.url);
  await client.purge(broker.prefix);
  const transport = await openRabbitTransport({ ...broker, deploymentId: "contract", logger });
  await transport.connected;
  const names = namesOf(broker.prefix);
  const events = await client.listen(names.events, "#");
  const inbox = await client.inbox();
  return {
    transport,
    events: () => events.map(({ content }) => JSON.parse(content.toString())),
    replyTo: inbox.name,
    replies: () =>
      inbox.messages.map(({ content, properties }) => ({
        correlationId: properties.correlationId,
        body: JSON.parse(content.toString()),
      })),
    passTime: (ms) => sleep(ms),
    async [Symbol.asyncDispose]() {
      await transport[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
});
