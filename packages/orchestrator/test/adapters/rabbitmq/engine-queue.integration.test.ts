import { randomUUID } from "node:crypto";
import { eventually, testBroker } from "@speckit/testkit";
import { expect, test } from "vitest";
import { openRabbitTransport } from "../../../src/adapters/rabbitmq/index.ts";
import { wakeUp } from "../../../src/contract/wake-up.ts";
import type { TransportHandlers } from "../../../src/ports/transport.ts";
import { recordingLogger } from "./recording-logger.ts";

const broker = testBroker();

type Heard = { readonly runId: string; readonly isExtra: boolean | undefined };

/** A transport whose handler holds every delivery until it is let go. */
async function worker(engineId: string | undefined, slots: number) {
  const { logger } = recordingLogger();
  const transport = await openRabbitTransport({ ...broker, deploymentId: "engines", logger });
  const heard: Heard[] = [];
  const held = Promise.withResolvers<void>();
  const handlers: TransportHandlers = {
    async onWakeUp({ runId }, { isExtra }) {
      heard.push({ runId, isExtra });
      await held.promise;
      return { do: "ack" };
    },
    onRequest: async () => ({ do: "ack" }),
  };
  const consumption = await transport.consume(handlers, { slots, engineId });
  return {
    transport,
    heard,
    hears: (runId: string) =>
      eventually(
        "the wake-up is heard",
        async () => heard.map((one) => one.runId),
        (ids) => ids.includes(runId),
      ),
    async [Symbol.asyncDispose]() {
      held.resolve();
      await consumption.stop();
      await transport[Symbol.asyncDispose]();
    },
  };
}

test("a wake-up for an engine comes to its workers alone, though all their slots are taken", async () => {
  await using here = await worker("engine-a", 1);
  await using other = await worker("engine-b", 5);
  const [taken, sticky] = [randomUUID(), randomUUID()];
  await here.transport.publishWakeUp(wakeUp(taken), { to: "engine", engineId: "engine-a" });
  await here.hears(taken);
  await here.transport.publishWakeUp(wakeUp(sticky), { to: "engine", engineId: "engine-a" });
  await here.hears(sticky);
  expect(here.heard).toEqual([
    { runId: taken, isExtra: true },
    { runId: sticky, isExtra: true },
  ]);
  expect(other.heard).toEqual([]);
});

test("one for an engine that nobody serves is no error, and comes to nobody", async () => {
  await using other = await worker("engine-b", 5);
  const nowhere = { to: "engine", engineId: `gone-${randomUUID()}` } as const;
  await other.transport.publishWakeUp(wakeUp(randomUUID()), nowhere);
  const after = randomUUID();
  await other.transport.publishWakeUp(wakeUp(after), { to: "work" });
  await other.hears(after);
  expect(other.heard).toHaveLength(1);
});
