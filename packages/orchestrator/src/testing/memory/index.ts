export {
  type BrokerConnection,
  type BrokerDelivery,
  type BrokerListener,
  type BrokerMessage,
  type MemoryBroker,
  memoryBroker,
} from "./broker/memory-broker.ts";
export { type MemoryTransportOptions, openMemoryTransport } from "./broker/memory-transport.ts";
export { type MemoryMachine, memoryMachine, type Workspaces } from "./git/memory-git-workspace.ts";
export {
  type Commit,
  commitTo,
  lineFrom,
  type MemoryRemote,
  type MemoryRemotes,
  memoryRemote,
} from "./git/memory-remotes.ts";
export { memoryArtifactStore } from "./memory-artifact-store.ts";
export { memoryCredentialRepository } from "./memory-credential-repository.ts";
export { type MemoryEngine, type MemoryEngineOptions, memoryEngine } from "./memory-engine.ts";
export {
  type MemoryJobRuntimeOptions,
  memoryJobRuntime,
  type Program,
  type ProgramStep,
  type StartedJob,
} from "./memory-job-runtime.ts";
export { memoryModelCallRepository, recordModelCalls } from "./memory-model-call-repository.ts";
export {
  type MemoryPullRequest,
  type MemoryPullRequestHostOptions,
  type MemoryPullRequests,
  memoryPullRequestHost,
} from "./memory-pull-request-host.ts";
export { memoryRunStatistics } from "./memory-run-statistics.ts";
export { memoryRunSurroundings } from "./memory-run-surroundings.ts";
export {
  type MemoryDatabase,
  type MemoryDatabaseOptions,
  memoryDatabase,
} from "./run-repository/memory-database.ts";
export { memoryRunRepository } from "./run-repository/memory-run-repository.ts";
export type { AttemptRow, RunRow, RunRows } from "./run-repository/rows.ts";
export { realTimers, type Timers } from "./timers.ts";
