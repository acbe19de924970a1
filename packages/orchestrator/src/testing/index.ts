export { FAILPOINTS } from "../ports/failpoints.ts";
export { describeMetrics, type MetricsUnderTest } from "./metrics-contract.ts";
export { type MetricsRecorder, metricsRecorder, type ToldMetric } from "./metrics-recorder.ts";
export { describeTransport } from "./transport-contract.ts";
