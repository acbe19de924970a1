export { type StatsdOptions, type StatsdTags, statsdMetrics } from "./statsd-metrics.ts";
