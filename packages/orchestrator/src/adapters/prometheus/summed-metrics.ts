import { METRICS, type Metrics } from "../../ports/metrics.ts";

/** Metrics that also keep their sums, for whoever comes and reads them. */
export interface SummedMetrics extends Metrics {
  /** In Prometheus' text format, version 0.0.4. Metrics that were never told are not in it. */
  readonly page: () => string;
}

/**
 * Sums of what one process has told so far, beside wherever it is sent. Names and tags are a closed set
 * ({@link METRICS}), so what is kept is bounded. A timing is kept as a sum of milliseconds and a count.
 *
 * @param inner is told everything first
 */
export function summedMetrics(inner: Metrics | undefined): SummedMetrics {
  const values = new Map<string, Map<string, number>>();
  const put = (name: string, tags: object, next: (before: number) => number): void => {
    const ofName = values.get(name) ?? new Map<string, number>();
    const labels = labelsOf(tags);
    ofName.set(labels, next(ofName.get(labels) ?? 0));
    values.set(name, ofName);
  };
  const isNumber = (value: number): boolean => Number.isFinite(value) && value >= 0;
  return {
    count(name, tags, by = 1) {
      inner?.count(name, tags, by);
      if (isNumber(by) && by > 0) {
        put(`${name}_total`, tags, (before) => before + by);
      }
    },
    timing(name, ms, tags) {
      inner?.timing(name, ms, tags);
      if (isNumber(ms)) {
        put(`${name}_sum`, tags, (before) => before + Math.round(ms));
        put(`${name}_count`, tags, (before) => before + 1);
      }
    },
    gauge(name, value, tags) {
      inner?.gauge(name, value, tags);
      if (isNumber(value)) {
        put(name, tags, () => value);
      }
    },
    page: () =>
      Object.entries(METRICS)
        .flatMap(([name, { kind, meaning }]) => {
          const series = SUFFIXES[kind].flatMap((suffix) => {
            const ofName = values.get(`${name}${suffix}`) ?? new Map<string, number>();
            return [...ofName].map(
              ([labels, value]) => `speckit_${name}${suffix}${labels} ${value}`,
            );
          });
          const told = `speckit_${name}${kind === "counter" ? "_total" : ""}`;
          return series.length === 0
            ? []
            : [`# HELP ${told} ${meaning}`, `# TYPE ${told} ${TYPES[kind]}`, ...series];
        })
        .map((line) => `${line}\n`)
        .join(""),
  };
}

const SUFFIXES = { counter: ["_total"], timing: ["_sum", "_count"], gauge: [""] } as const;
const TYPES = { counter: "counter", timing: "summary", gauge: "gauge" } as const;

function labelsOf(tags: object): string {
  const pairs = Object.entries(tags).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.sort().join(",")}}`;
}
