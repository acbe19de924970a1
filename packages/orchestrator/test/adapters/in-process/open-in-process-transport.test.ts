import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openInProcessTransport } from "../../../src/adapters/in-process/index.ts";
import type { CloudEvent } from "../../../src/contract/run-event.ts";
import { wakeUp } from "../../../src/contract/wake-up.ts";
import { describeTransport } from "../../../src/testing/transport-contract.ts";

/** Time that passes only when it is told to. */
function handClock() {
  let nowMs = 0;
  const sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  return {
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        sleepers.add({ untilMs: nowMs + ms, wake: resolve });
        signal?.addEventListener("abort", () => resolve(), { once: true });
      }),
    async pass(ms: number) {
      nowMs += ms;
      for (const sleeper of sleepers) {
        if (sleeper.untilMs <= nowMs) {
          sleepers.delete(sleeper);
          sleeper.wake();
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describeTransport("the in-process transport", async () => {
  const events: CloudEvent[] = [];
  const replies: { correlationId: unknown; body: unknown }[] = [];
  const clock = handClock();
  const transport = openInProcessTransport({
    clock,
    onEvent: (event) => void events.push(event),
    onReply: (_replyTo, correlationId, body) => void replies.push({ correlationId, body }),
  });
  return {
    transport,
    events: () => events,
    replyTo: "somewhere",
    replies: () => replies,
    passTime: clock.pass,
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
});

describe("the in-process transport alone", () => {
  test("a listener that throws does not fail the publisher", async () => {
    await using transport = openInProcessTransport({
      onEvent: () => {
        throw new Error("a listener's bug");
      },
    });
    await expect(transport.publishEvent({} as CloudEvent)).resolves.toBeUndefined();
  });

  test("a delayed wake-up is forgotten when the transport ends, and holds nothing open", async () => {
    const clock = handClock();
    const transport = openInProcessTransport({ clock });
    const seen: string[] = [];
    await transport.consume(
      {
        onWakeUp: async ({ runId }) => {
          seen.push(runId);
          return { do: "ack" };
        },
        onRequest: async () => ({ do: "ack" }),
      },
      { slots: 1 },
    );
    await transport.publishWakeUp(wakeUp(randomUUID()), { to: "work", afterMs: 5_000 });
    await transport[Symbol.asyncDispose]();
    await clock.pass(10_000);
    expect(seen).toEqual([]);
  });
});
