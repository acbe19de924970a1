export { type SummedMetrics, summedMetrics } from "./summed-metrics.ts";
