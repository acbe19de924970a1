export { FAILPOINTS } from "../ports/failpoints.ts";
export { type AgentBackendUnderTest, describeAgentBackend } from "./agent-backend-contract.ts";
export { describeArtifactStore } from "./artifact-store-contract.ts";
export { describeAttemptAuthority } from "./attempt-authority-contract.ts";
export { describeCredentialRepository } from "./credential-repository-contract.ts";
export { describeEgressRepository } from "./egress-repository-contract.ts";
export { describeGitWorkspace } from "./git-workspace-contract.ts";
export { describeJobRuntime } from "./job-runtime-contract.ts";
export * from "./memory/index.ts";
export { describeMetrics, type MetricsUnderTest } from "./metrics-contract.ts";
export { type MetricsRecorder, metricsRecorder, type ToldMetric } from "./metrics-recorder.ts";
export { describeModelCallRepository } from "./model-call-repository-contract.ts";
export {
  describePullRequestHost,
  type PullRequestHostUnderTest,
  type SeenPullRequest,
} from "./pull-request-host-contract.ts";
export { describeRunRepository } from "./run-repository-contract.ts";
export { describeRunStatistics } from "./run-statistics-contract.ts";
export { describeRunSurroundings } from "./run-surroundings-contract.ts";
export { describeTransport } from "./transport-contract.ts";
