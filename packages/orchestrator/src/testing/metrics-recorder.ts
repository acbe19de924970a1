import type { Metrics } from "../ports/metrics.ts";

/** One number as it was told. */
export interface ToldMetric {
  readonly kind: "counter" | "timing" | "gauge";
  readonly name: string;
  readonly value: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface MetricsRecorder {
  readonly metrics: Metrics;
  /** In order. */
  readonly told: readonly ToldMetric[];
  /** Sum of a counter, over all told with (at least) these tags. */
  readonly counted: (name: string, tags?: Readonly<Record<string, string>>) => number;
}

/** Metrics in memory, for tests of what counts. */
export function metricsRecorder(): MetricsRecorder {
  const told: ToldMetric[] = [];
  const tell = (kind: ToldMetric["kind"], name: string, value: number, tags: object): void => {
    if (Number.isFinite(value) && value >= 0) {
      told.push({ kind, name, value, tags: { ...tags } });
    }
  };
  return {
    metrics: {
      count(name, tags, by = 1) {
        if (by !== 0) {
          tell("counter", name, by, tags);
        }
      },
      timing: (name, ms, tags) => tell("timing", name, Math.round(ms), tags),
      gauge: (name, value, tags) => tell("gauge", name, value, tags),
    },
    told,
    counted: (name, tags = {}) =>
      told
        .filter((one) => one.kind === "counter" && one.name === name)
        .filter((one) => Object.entries(tags).every(([tag, value]) => one.tags[tag] === value))
        .reduce((sum, one) => sum + one.value, 0),
  };
}
