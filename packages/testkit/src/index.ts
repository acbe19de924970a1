export { freePort } from "@speckit/private-broker";
export { selfSignedCertificate } from "./certificate.ts";
export { checkRuns } from "./check-runs.ts";
export { codexBinary } from "./codex-binary.ts";
export {
  type CommitCut,
  type CommitCuttingProxy,
  commitCuttingProxy,
} from "./commit-cutting-proxy.ts";
export { type ContainerStart, watchContainerStarts } from "./container-starts.ts";
export { databaseUrl, statement } from "./database-statement.ts";
export { type EventuallyOptions, eventually } from "./eventually.ts";
export { filesWith } from "./files-with.ts";
export { git } from "./git.ts";
export { type GitServer, gitServer, type Intercept } from "./git-server.ts";
export { checkEverything, type Evidence } from "./oracle/check-everything.ts";
export { checkQueues } from "./oracle/check-queues.ts";
export { type AgentStart, readStarts } from "./oracle/check-starts.ts";
export { holdLocks, rowsOf } from "./oracle/rows.ts";
export { type OwnEngine, openOwnEngine } from "./own-engine.ts";
export { type PlacedAttempt, placeAttempt } from "./place-attempt.ts";
export { type PrivatePostgres, startPrivatePostgres } from "./private-postgres.ts";
export { processesIn, processesWith } from "./process-tree.ts";
export {
  type ProgramResult,
  type RunningProgram,
  runProgram,
  startProgram,
} from "./run-program.ts";
export { type SeededRandom, seededRandom, testSeed } from "./seeded-random.ts";
export {
  type OpenService,
  openTestBroker,
  openTestPostgres,
  type ServiceWay,
  serviceWays,
} from "./services/open-services.ts";
export { type SshServer, sshKeyPair, sshServer } from "./ssh-server.ts";
export { type StatsdListener, statsdListener } from "./statsd-listener.ts";
export { type TcpProxy, tcpProxy } from "./tcp-proxy.ts";
export { type TempFolder, tempFolder } from "./temp-folder.ts";
export { declareTopology, type TestBroker, testBroker } from "./test-broker.ts";
export { type TestDatabase, testDatabase } from "./test-database.ts";
export { imageFor, type TestEngine, type TestImage, testEngine } from "./test-engine.ts";
