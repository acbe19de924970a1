import { eventually, statsdListener } from "@speckit/testkit";
import { describe, expect, test } from "vitest";
import type { Lookup } from "../../../src/adapters/statsd/host-address.ts";
import { statsdMetrics } from "../../../src/adapters/statsd/index.ts";
import { describeMetrics } from "../../../src/testing/metrics-contract.ts";
import { recordingLogger } from "../rabbitmq/recording-logger.ts";
import { readDatagram } from "./read-datagram.ts";

describeMetrics("StatsD", async () => {
  const listener = await statsdListener();
  const { logger, lines } = recordingLogger();
  const metrics = statsdMetrics({ host: "127.0.0.1", port: listener.port, logger });
  return {
    metrics,
    async arrived(count) {
      const datagrams = await listener.arrived(count);
      return datagrams.map((text) => readDatagram(text, "speckit."));
    },
    async [Symbol.asyncDispose]() {
      await metrics[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
      expect(lines).toEqual([]);
    },
  };
});

describe("StatsD alone", () => {
  /** Metrics to a listener by way of a lookup, and everything that was logged. */
  async function setUp(lookup: Lookup, host = "statsd.example") {
    const listener = await statsdListener();
    const { logger, lines } = recordingLogger();
    const metrics = statsdMetrics({ host, port: listener.port, logger, lookup });
    return { listener, lines, metrics };
  }

  test("the prefix stands before every name", async () => {
    await using listener = await statsdListener();
    const { logger } = recordingLogger();
    const options = { host: "127.0.0.1", port: listener.port, prefix: "acme.speckit", logger };
    await using metrics = statsdMetrics(options);
    metrics.count("takeovers", {});
    expect(await listener.arrived(1)).toEqual(["acme.speckit.takeovers:1|c"]);
  });

  test("to a server that knows no tags their values are told as parts of the name", async () => {
    await using listener = await statsdListener();
    const { logger } = recordingLogger();
    const options = { host: "127.0.0.1", port: listener.port, tags: "names", logger } as const;
    await using metrics = statsdMetrics(options);
    metrics.count("takeovers", {});
    metrics.timing("phase_duration_ms", 12, { phase: "plan", became: "succeeded" });
    expect(await listener.arrived(2)).toEqual([
      "speckit.takeovers:1|c",
      "speckit.phase_duration_ms.plan.succeeded:12|ms",
    ]);
  });

  test("a tag's value cannot break a datagram", async () => {
    await using listener = await statsdListener();
    const { logger } = recordingLogger();
    await using metrics = statsdMetrics({ host: "127.0.0.1", port: listener.port, logger });
    const hostile = "a:1|c|@0.1,b#\nspeckit.x" as "transient";
    metrics.count("retries", { class: hostile });
    expect(await listener.arrived(1)).toEqual([
      "speckit.retries:1|c|#class:a_1_c__0.1_b__speckit.x",
    ]);
  });

  test("a host is looked up once for many numbers, and those told meanwhile arrive", async () => {
    const answer = Promise.withResolvers<string>();
    let lookups = 0;
    const { listener, metrics } = await setUp(() => {
      lookups += 1;
      return answer.promise;
    });
    for (let count = 0; count < 50; count += 1) {
      metrics.count("sweeps", {});
    }
    answer.resolve("127.0.0.1");
    await listener.arrived(50);
    metrics.count("sweeps", {});
    await listener.arrived(51);
    expect(lookups).toBe(1);
    await metrics[Symbol.asyncDispose]();
    await listener[Symbol.asyncDispose]();
  });

  test("a host that does not exist is told once, and not looked up for each number", async () => {
    let lookups = 0;
    const { listener, lines, metrics } = await setUp(async () => {
      lookups += 1;
      throw new Error("ENOTFOUND");
    });
    metrics.count("sweeps", {});
    metrics.count("takeovers", {});
    await eventually("a line in the log", () => lines.length === 1);
    for (let count = 0; count < 2_000; count += 1) {
      metrics.count("sweeps", {});
    }
    await metrics[Symbol.asyncDispose]();
    expect(lookups).toBe(1);
    expect(lines).toMatchObject([
      { level: "warn", message: "metrics not sent", fields: { host: "statsd.example" } },
    ]);
    expect(listener.datagrams).toEqual([]);
    await listener[Symbol.asyncDispose]();
  });

  test("the system's own lookup of a name that cannot exist ends no process", async () => {
    const { logger, lines } = recordingLogger();
    await using metrics = statsdMetrics({ host: "nowhere.invalid", logger });
    metrics.count("sweeps", {});
    await eventually("a line in the log", () => lines.length === 1, Boolean, { withinMs: 40_000 });
  });

  test("a name server that never answers keeps a thousand numbers and no more, and no end waiting", async () => {
    const { listener, lines, metrics } = await setUp(() => new Promise<string>(() => {}));
    for (let count = 0; count < 5_000; count += 1) {
      metrics.count("sweeps", {});
    }
    expect(lines).toHaveLength(1);
    expect(String(lines[0]?.fields?.error)).toContain("1000");
    await metrics[Symbol.asyncDispose]();
    await listener[Symbol.asyncDispose]();
  });

  test("an address the system does not send to is told in the log and harms nothing", async () => {
    // Broadcasting is refused to a socket that has not asked for it.
    const { logger, lines } = recordingLogger();
    await using metrics = statsdMetrics({ host: "255.255.255.255", logger });
    metrics.count("sweeps", {});
    await eventually("a line in the log", () => lines.length === 1);
  });

  test("a closed port is not noticed", async () => {
    const { port, ...listener } = await statsdListener();
    await listener[Symbol.asyncDispose]();
    const { logger, lines } = recordingLogger();
    const metrics = statsdMetrics({ host: "127.0.0.1", port, logger });
    for (let count = 0; count < 100; count += 1) {
      metrics.count("sweeps", {});
    }
    await metrics[Symbol.asyncDispose]();
    expect(lines).toEqual([]);
  });

  test("what was told before the end arrives", async () => {
    const { listener, metrics } = await setUp(async () => "127.0.0.1");
    metrics.count("sweeps", {});
    await metrics[Symbol.asyncDispose]();
    expect(await listener.arrived(1)).toEqual(["speckit.sweeps:1|c"]);
    await listener[Symbol.asyncDispose]();
  });
});
