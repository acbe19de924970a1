import type { CloudEvent } from "../../src/contract/run-event.ts";
import { memoryBroker, openMemoryTransport } from "../../src/testing/memory/index.ts";
import { describeTransport } from "../../src/testing/transport-contract.ts";
import { handTimers } from "./hand-timers.ts";

describeTransport("the memory broker", async () => {
  const timers = handTimers();
  const broker = memoryBroker(timers);
  const events: CloudEvent[] = [];
  broker.onEvent((event) => events.push(event));
  const transport = openMemoryTransport({
    connect: async (listener) => broker.connect(listener),
    clock: timers,
  });
  // Its first connection is made in the background.
  await timers.pass(0);
  return {
    transport,
    events: () => events,
    replyTo: "somewhere",
    replies: () => broker.replies.map(({ correlationId, body }) => ({ correlationId, body })),
    passTime: timers.pass,
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
});
