import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CloudEvent } from "../contract/run-event.ts";
import type { RunRejected } from "../contract/run-result.ts";
import { type WakeUp, wakeUp } from "../contract/wake-up.ts";
import { failure } from "../domain/failure.ts";
import type { DeliveryVerdict, Transport, TransportHandlers } from "../ports/transport.ts";

/** A transport and what can be seen of it from outside. */
export interface TransportUnderTest extends AsyncDisposable {
  readonly transport: Transport;
  /** Events that a listener from outside has received, oldest first. */
  readonly events: () => readonly CloudEvent[];
  /** Where replies can be sent, and those that arrived there. */
  readonly replyTo: string;
  readonly replies: () => readonly { readonly correlationId: unknown; readonly body: unknown }[];
  /** Makes this much time pass for delayed wake-ups; real transports just let it pass. */
  readonly passTime: (ms: number) => Promise<void>;
}

const DEADLINE_MS = 10_000;

/** What every transport promises. Each test gets a transport of its own, with nothing in its queues. */
export function describeTransport(name: string, open: () => Promise<TransportUnderTest>): void {
  describe(`${name} as a transport`, () => {
    let under: TransportUnderTest;
    let transport: Transport;

    beforeEach(async () => {
      under = await open();
      transport = under.transport;
    });
    afterEach(() => under[Symbol.asyncDispose]());

    test.each(["start", "work"] as const)("a wake-up to %s is handled once", async (to) => {
      const hands = recorder();
      const consumption = await transport.consume(hands.handlers, { slots: 2 });
      const sent = wakeUp(randomUUID());
      await transport.publishWakeUp(sent, { to });
      await until("it is handled", () => hands.ended.length === 1);
      await consumption.stop();
      expect(hands.ended).toEqual([sent]);
      expect(await leftIn(transport)).toEqual([]);
    });

    test("wake-ups wait for somebody to consume", async () => {
      const sent = [wakeUp(randomUUID()), wakeUp(randomUUID())];
      for (const one of sent) {
        await transport.publishWakeUp(one, { to: "start" });
      }
      expect(runIds(await leftIn(transport, sent.length))).toEqual(runIds(sent));
    });

    test("tells how many wake-ups wait for a first claim", async () => {
      expect(await transport.startBacklog()).toBe(0);
      await transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" });
      for (let count = 1; count <= 3; count += 1) {
        await transport.publishWakeUp(wakeUp(randomUUID()), { to: "start" });
        await until("it is counted", async () => (await transport.startBacklog()) === count);
      }
      expect(await leftIn(transport, 4)).toHaveLength(4);
      await until("none is left", async () => (await transport.startBacklog()) === 0);
    });

    test("publish_and_ack delivers the next wake-up and forgets this one", async () => {
      const second = wakeUp(randomUUID());
      const hands = recorder((received) =>
        received.runId === second.runId
          ? { do: "ack" }
          : { do: "publish_and_ack", wakeUp: second, route: { to: "work" } },
      );
      const consumption = await transport.consume(hands.handlers, { slots: 1 });
      const first = wakeUp(randomUUID());
      await transport.publishWakeUp(first, { to: "start" });
      await until("both are handled", () => hands.ended.length === 2);
      await consumption.stop();
      expect(hands.ended).toEqual([first, second]);
      expect(await leftIn(transport)).toEqual([]);
    });

    test("a delayed wake-up comes when its time has passed, not before", async () => {
      const hands = recorder();
      const consumption = await transport.consume(hands.handlers, { slots: 1 });
      const late = wakeUp(randomUUID());
      await transport.publishWakeUp(late, { to: "work", afterMs: 5_000 });
      await under.passTime(4_000);
      expect(hands.started).toEqual([]);
      await under.passTime(1_000);
      await until("it is handled", () => hands.ended.length === 1);
      await consumption.stop();
      expect(hands.ended).toEqual([late]);
    });

    test("never more handlers run than there are slots", async () => {
      const hands = recorder(undefined, { held: true });
      const consumption = await transport.consume(hands.handlers, { slots: 3 });
      const sent = Array.from({ length: 9 }, () => wakeUp(randomUUID()));
      await Promise.all(
        sent.map((one, index) =>
          transport.publishWakeUp(one, { to: index % 2 === 0 ? "start" : "work" }),
        ),
      );
      for (let handled = 0; handled < sent.length; handled += 1) {
        await until(
          "every slot is used",
          () => hands.held() === Math.min(3, sent.length - handled),
        );
        hands.releaseOne();
      }
      await until("all are handled", () => hands.ended.length === sent.length);
      await consumption.stop();
      expect(hands.mostAtOnce()).toBe(3);
      expect(runIds(hands.ended)).toEqual(runIds(sent));
    });

    test("a continuation goes before runs that were never claimed", async () => {
      const hands = recorder(undefined, { held: true });
      const consumption = await transport.consume(hands.handlers, { slots: 1 });
      await transport.publishWakeUp(wakeUp(randomUUID()), { to: "start" });
      await until("the slot is taken", () => hands.held() === 1);
      const fresh = [wakeUp(randomUUID()), wakeUp(randomUUID())];
      for (const one of fresh) {
        await transport.publishWakeUp(one, { to: "start" });
      }
      const continuation = wakeUp(randomUUID());
      await transport.publishWakeUp(continuation, { to: "work" });
      for (let handled = 0; handled < 4; handled += 1) {
        await until("the slot is taken", () => hands.held() === 1);
        hands.releaseOne();
      }
      await until("all are handled", () => hands.ended.length === 4);
      await consumption.stop();
      expect(hands.started.slice(1)).toEqual([continuation, ...fresh]);
    });

    test("while no new runs are wanted, they wait, and continuations are taken", async () => {
      const hands = recorder();
      const consumption = await transport.consume(hands.handlers, { slots: 2 });
      consumption.takeNew(false);
      // What comes to both queues after a continuation has come is behind the pause.
      const first = wakeUp(randomUUID());
      await transport.publishWakeUp(first, { to: "work" });
      await until("the continuation is handled", () => hands.ended.length === 1);
      const fresh = [wakeUp(randomUUID()), wakeUp(randomUUID()), wakeUp(randomUUID())];
      for (const one of fresh) {
        await transport.publishWakeUp(one, { to: "start" });
      }
      const second = wakeUp(randomUUID());
      await transport.publishWakeUp(second, { to: "work" });
      await until("the continuation is handled", () => hands.ended.length === 2);
      await until("the new ones wait", async () => (await transport.startBacklog()) === 3);
      expect(hands.ended).toEqual([first, second]);
      consumption.takeNew(true);
      await until("all are handled", () => hands.ended.length === 5);
      await consumption.stop();
      expect(runIds(hands.ended.slice(2))).toEqual(runIds(fresh));
    });

    test("a handler that throws loses its wake-up and nothing else", async () => {
      const bad = wakeUp(randomUUID());
      const hands = recorder((received) => {
        if (received.runId === bad.runId) {
          throw new Error("a bug");
        }
        return { do: "ack" };
      });
      const consumption = await transport.consume(hands.handlers, { slots: 1 });
      const good = wakeUp(randomUUID());
      await transport.publishWakeUp(bad, { to: "work" });
      await transport.publishWakeUp(good, { to: "work" });
      await until("the next is handled", () => hands.ended.some((one) => one.runId === good.runId));
      await consumption.stop();
      expect(await leftIn(transport)).toEqual([]);
    });

    test("stop takes nothing new and waits for what is in hand", async () => {
      const hands = recorder(undefined, { held: true });
      const consumption = await transport.consume(hands.handlers, { slots: 1 });
      const inHand = wakeUp(randomUUID());
      await transport.publishWakeUp(inHand, { to: "work" });
      await until("it is in hand", () => hands.held() === 1);
      const kept = [wakeUp(randomUUID()), wakeUp(randomUUID())];
      await transport.publishWakeUp(at(kept, 0), { to: "work" });
      await transport.publishWakeUp(at(kept, 1), { to: "start" });

      let isStopped = false;
      const stopping = consumption.stop().then(() => {
        isStopped = true;
      });
      await Promise.race([stopping, under.passTime(300)]);
      expect(isStopped).toBe(false);
      hands.releaseOne();
      await stopping;
      expect(hands.started).toEqual([inHand]);
      expect(runIds(await leftIn(transport, kept.length))).toEqual(runIds(kept));
    });

    test("a delivery that is left while stopping comes again", async () => {
      const hands = recorder(() => ({ do: "leave" }), { held: true });
      const consumption = await transport.consume(hands.handlers, { slots: 1 });
      const left = wakeUp(randomUUID());
      await transport.publishWakeUp(left, { to: "start" });
      await until("it is in hand", () => hands.held() === 1);
      const stopping = consumption.stop();
      hands.releaseOne();
      await stopping;
      expect(await leftIn(transport, 1)).toEqual([left]);
    });

    test("a hint reaches who hears hints, and nobody else need do anything", async () => {
      const heard: string[] = [];
      const runId = randomUUID();
      await transport.publishHint(randomUUID());
      const handlers = { ...recorder().handlers, onHint: (hint: string) => void heard.push(hint) };
      const consumption = await transport.consume(handlers, { slots: 1 });
      await transport.publishHint(runId);
      await until("it is heard", () => heard.length > 0);
      await consumption.stop();
      await transport.publishHint(randomUUID());
      expect(heard).toEqual([runId]);
      expect(await leftIn(transport)).toEqual([]);
    });

    test("an event reaches who listens, in order", async () => {
      const sent = [event("run.accepted", 1), event("phase.started", 2)];
      for (const one of sent) {
        await transport.publishEvent(one);
      }
      await until("both arrived", () => under.events().length >= 2);
      expect(under.events()).toEqual(sent);
    });

    test("a reply arrives with its correlation id", async () => {
      const body = rejected();
      await transport.publishReply(under.replyTo, "mine-7", body);
      await until("it arrived", () => under.replies().length === 1);
      expect(under.replies()).toEqual([{ correlationId: "mine-7", body }]);
    });

    test("health names the transport and shows no password", () => {
      const { connected, description } = transport.health();
      expect(connected).toBe(true);
      expect(description).not.toMatch(/@|guest/);
      expect(description).not.toBe("");
    });

    test("after its end it publishes nothing", async () => {
      await transport[Symbol.asyncDispose]();
      expect(transport.health().connected).toBe(false);
      await expect(
        transport.publishWakeUp(wakeUp(randomUUID()), { to: "work" }),
      ).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
    });
  });
}

/** What is still in the queues, by consuming it. Looks for `count` of them; for none, it looks once around. */
async function leftIn(transport: Transport, count = 0): Promise<readonly WakeUp[]> {
  const hands = recorder();
  const consumption = await transport.consume(hands.handlers, { slots: 10 });
  if (count > 0) {
    await until(`${count} come again`, () => hands.ended.length >= count);
  } else {
    // What is left would come before a message that is sent now.
    const marks = [wakeUp(randomUUID()), wakeUp(randomUUID())];
    await transport.publishWakeUp(at(marks, 0), { to: "work" });
    await transport.publishWakeUp(at(marks, 1), { to: "start" });
    const isMark = (one: WakeUp) => marks.some((mark) => mark.runId === one.runId);
    await until("the marks come", () => hands.ended.filter(isMark).length === marks.length);
    await consumption.stop();
    return hands.ended.filter((one) => !isMark(one));
  }
  await consumption.stop();
  return hands.ended;
}

/** Handlers that record what they get; when `held`, each waits until it is released. */
function recorder(
  decide: (received: WakeUp) => DeliveryVerdict = () => ({ do: "ack" }),
  { held = false } = {},
) {
  const started: WakeUp[] = [];
  const ended: WakeUp[] = [];
  const gates: (() => void)[] = [];
  let mostAtOnce = 0;
  const handlers: TransportHandlers = {
    async onWakeUp(received) {
      started.push(received);
      mostAtOnce = Math.max(mostAtOnce, started.length - ended.length);
      if (held) {
        await new Promise<void>((resolve) => gates.push(resolve));
      }
      ended.push(received);
      return decide(received);
    },
    async onRequest() {
      throw new Error("no request was sent");
    },
  };
  return {
    handlers,
    started,
    ended,
    held: () => gates.length,
    releaseOne: () => gates.shift()?.(),
    mostAtOnce: () => mostAtOnce,
  };
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error(`Not within ${DEADLINE_MS} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function runIds(wakeUps: readonly WakeUp[]): readonly string[] {
  return wakeUps.map(({ runId }) => runId).sort();
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) {
    throw new Error(`There is no item ${index}`);
  }
  return item;
}

function event(type: string, seq: number): CloudEvent {
  const runId = randomUUID();
  return {
    specversion: "1.0",
    id: `${runId}/${seq}`,
    source: "/speckit/test",
    type: `speckit.${type}`,
    subject: runId,
    time: "2026-01-02T03:04:05.678Z",
    datacontenttype: "application/json",
    data: { seq },
  };
}

function rejected(): RunRejected {
  return {
    status: "rejected",
    runId: null,
    failure: failure("REQUEST_NOT_JSON", "The request is empty, expected a JSON object"),
  };
}
