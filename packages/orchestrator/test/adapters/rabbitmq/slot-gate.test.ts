import { describe, expect, test } from "vitest";
import { slotGate } from "../../../src/adapters/rabbitmq/slot-gate.ts";

/** A job that runs until it is told to end. */
function job(log: string[], name: string) {
  const end = Promise.withResolvers<void>();
  return {
    run: async () => {
      log.push(name);
      await end.promise;
    },
    async end() {
      end.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe("the slot gate", () => {
  test("grants waiting continuations before waiting starts, whatever came first", async () => {
    const log: string[] = [];
    const gate = slotGate(1, () => {});
    const jobs = Object.fromEntries(
      ["a", "start1", "work1", "work2"].map((name) => [name, job(log, name)]),
    );
    gate.enter("start", jobs.a!.run);
    gate.enter("start", jobs.start1!.run);
    gate.enter("work", jobs.work1!.run);
    gate.enter("work", jobs.work2!.run);
    for (const name of ["a", "work1", "work2"]) {
      await jobs[name]!.end();
    }
    expect(log).toEqual(["a", "work1", "work2", "start1"]);
  });

  test("counts those who wait as slots spoken for", async () => {
    const log: string[] = [];
    const gate = slotGate(2, () => {});
    const [a, b, c] = [job(log, "a"), job(log, "b"), job(log, "c")];
    expect(gate.free()).toBe(2);
    gate.enter("work", a.run);
    expect(gate.free()).toBe(1);
    gate.enter("work", b.run);
    gate.enter("work", c.run);
    expect(gate.free()).toBe(0);
    await a.end();
    expect(gate.free()).toBe(0);
    await b.end();
    expect(gate.free()).toBe(1);
  });

  test("lets go of a place that waits, and not of one that was granted", async () => {
    const log: string[] = [];
    const gate = slotGate(1, () => {});
    const a = job(log, "a");
    const granted = gate.enter("work", a.run);
    const waiting = gate.enter("work", job(log, "b").run);
    expect(granted.leave()).toBe(false);
    expect(waiting.leave()).toBe(true);
    expect(waiting.leave()).toBe(false);
    await a.end();
    expect(log).toEqual(["a"]);
  });

  test("a closed gate starts nothing and waits for what runs", async () => {
    const log: string[] = [];
    const gate = slotGate(1, () => {});
    const a = job(log, "a");
    gate.enter("work", a.run);
    gate.enter("work", job(log, "b").run);
    let isClosed = false;
    const closing = gate.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    await a.end();
    await closing;
    gate.enter("work", job(log, "c").run);
    expect(log).toEqual(["a"]);
  });
});
