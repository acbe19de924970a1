import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { METRICS, type MetricName, type Metrics } from "../ports/metrics.ts";
import type { ToldMetric } from "./metrics-recorder.ts";

/** An implementation of Metrics and what can be seen of it from outside. */
export interface MetricsUnderTest extends AsyncDisposable {
  readonly metrics: Metrics;
  /** Everything that has arrived, oldest first; resolves when at least `count` numbers have. */
  readonly arrived: (count: number) => Promise<readonly ToldMetric[]>;
}

/** Tells a metric as a caller would whose types were lost. */
type UntypedMetrics = {
  readonly count: (name: MetricName, tags: object, by?: number) => void;
  readonly timing: (name: MetricName, ms: number, tags: object) => void;
  readonly gauge: (name: MetricName, value: number, tags: object) => void;
};

/** What every Metrics promises. Each test gets one of its own, to which nothing was told. */
export function describeMetrics(name: string, open: () => Promise<MetricsUnderTest>): void {
  describe(`Metrics: ${name}`, () => {
    let under: MetricsUnderTest;
    let metrics: Metrics;

    beforeEach(async () => {
      under = await open();
      metrics = under.metrics;
    });
    afterEach(() => under[Symbol.asyncDispose]());

    /** What was told so far and nothing else: a last number is told behind it, to wait for. */
    async function everythingTold(): Promise<readonly ToldMetric[]> {
      metrics.gauge("runs_in_hand", 4_711, {});
      for (let count = 1; ; count += 1) {
        const arrived = await under.arrived(count);
        if (arrived.some((one) => one.value === 4_711)) {
          return arrived.filter((one) => one.value !== 4_711);
        }
      }
    }

    test("a count is one unless it says more", async () => {
      metrics.count("retries", { class: "transient" });
      metrics.count("events_sent", {}, 7);
      expect(await everythingTold()).toEqual([
        { kind: "counter", name: "retries", value: 1, tags: { class: "transient" } },
        { kind: "counter", name: "events_sent", value: 7, tags: {} },
      ]);
    });

    test("nothing is told of a count of zero", async () => {
      metrics.count("runs_swept", { became: "woken" }, 0);
      expect(await everythingTold()).toEqual([]);
    });

    test("a time is told in whole milliseconds, also none", async () => {
      const tags = { phase: "plan", became: "failed" } as const;
      metrics.timing("phase_duration_ms", 1_234.56, tags);
      metrics.timing("phase_duration_ms", 0.2, tags);
      expect(await everythingTold()).toEqual([
        { kind: "timing", name: "phase_duration_ms", value: 1_235, tags },
        { kind: "timing", name: "phase_duration_ms", value: 0, tags },
      ]);
    });

    test("a gauge tells a value, also zero", async () => {
      metrics.gauge("runs_in_hand", 3, {});
      metrics.gauge("runs_in_hand", 0, {});
      const told = await everythingTold();
      expect(told.map(({ kind, value }) => [kind, value])).toEqual([
        ["gauge", 3],
        ["gauge", 0],
      ]);
    });

    test("every metric of the catalogue arrives as itself, with every value its tags can have", async () => {
      const expected = everyTelling();
      for (const [ix, one] of expected.entries()) {
        tell(metrics, one);
        // A listener's socket holds some 250 that nobody has read yet, and drops the rest.
        if (ix % 100 === 99) {
          await under.arrived(ix + 1);
        }
      }
      expect(await everythingTold()).toEqual(expected);
    });

    test("a value that is no number is not told, and harms nothing", async () => {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
        metrics.count("sweeps", {}, value);
        metrics.timing("run_duration_ms", value, { outcome: "failed" });
        metrics.gauge("runs_in_hand", value, {});
      }
      expect(await everythingTold()).toEqual([]);
    });

    test("telling is harmless after the end", async () => {
      await under[Symbol.asyncDispose]();
      metrics.count("sweeps", {});
      metrics.timing("run_duration_ms", 1, { outcome: "failed" });
      metrics.gauge("runs_in_hand", 1, {});
      await under[Symbol.asyncDispose]();
    });
  });
}

function everyTelling(): readonly ToldMetric[] {
  return Object.entries(METRICS).flatMap(([name, { kind, tags }]) =>
    everyCombination(Object.entries(tags)).map((combination) => ({
      kind,
      name,
      value: 2,
      tags: combination,
    })),
  );
}

function everyCombination(
  tags: readonly [string, readonly string[]][],
): readonly Readonly<Record<string, string>>[] {
  const [first, ...rest] = tags;
  if (first === undefined) {
    return [{}];
  }
  const [name, values] = first;
  return values.flatMap((value) =>
    everyCombination(rest).map((others) => ({ [name]: value, ...others })),
  );
}

function tell(metrics: Metrics, { kind, name, value, tags }: ToldMetric): void {
  const untyped = metrics as UntypedMetrics;
  switch (kind) {
    case "counter":
      untyped.count(name as MetricName, tags, value);
      break;
    case "timing":
      untyped.timing(name as MetricName, value, tags);
      break;
    case "gauge":
      untyped.gauge(name as MetricName, value, tags);
      break;
  }
}
