export { FAILPOINTS } from "../ports/failpoints.ts";
export { describeArtifactStore } from "./artifact-store-contract.ts";
export { describeGitWorkspace } from "./git-workspace-contract.ts";
export { describeJobRuntime } from "./job-runtime-contract.ts";
export * from "./memory/index.ts";
export { describeMetrics, type MetricsUnderTest } from "./metrics-contract.ts";
export { type MetricsRecorder, metricsRecorder, type ToldMetric } from "./metrics-recorder.ts";
export { describeRunRepository } from "./run-repository-contract.ts";
export { describeTransport } from "./transport-contract.ts";
