export { type StatsdOptions, statsdMetrics } from "./statsd-metrics.ts";
