import type { CredentialRepository } from "../../ports/credential-repository.ts";
import type { EgressRepository } from "../../ports/egress.ts";
import type { ModelCallRepository } from "../../ports/model-call-repository.ts";
import type { RunRepository } from "../../ports/run-repository.ts";
import type { RunStatisticsReader } from "../../ports/run-statistics.ts";
import type { RunSurroundingsReader } from "../../ports/run-surroundings.ts";
import { artifactsOf, insertArtifacts } from "./artifact/artifact-rows.ts";
import { answersOf } from "./command/answer-rows.ts";
import { storeCommand } from "./command/store-command.ts";
import { credentialRepository } from "./credential/credential-repository.ts";
import { egressRepository } from "./egress/egress-repository.ts";
import { appendEvents } from "./event/append-events.ts";
import { eventsAfter, markEventsSent, unsentEvents } from "./event/read-events.ts";
import { modelCallRepository } from "./model-call/model-call-repository.ts";
import { type DatabaseOptions, openDatabase } from "./open-database.ts";
import { allotFeatureDirectory } from "./run/allot-feature-directory.ts";
import { claimRun } from "./run/claim-run.ts";
import { closedRuns } from "./run/closed-runs.ts";
import { commitAttempt } from "./run/commit-attempt.ts";
import { finishCleanup } from "./run/finish-cleanup.ts";
import { guardRun } from "./run/guard-run.ts";
import { releaseRun, renewLeases } from "./run/hold-lease.ts";
import { insertRun } from "./run/insert-run.ts";
import { attemptsOf, checkpointOf, findRun, listRuns } from "./run/read-run.ts";
import { openAttempts, placeAttempt, startAttempt, useStartTicket } from "./run/start-attempt.ts";
import { runSurroundingsReader } from "./run/surroundings-of.ts";
import { countNeverClaimed, runsWithUnsentEvents, sweepRuns } from "./run/sweep-runs.ts";
import { runStatisticsReader } from "./stats/run-statistics-reader.ts";
import { inStatement, inTransaction } from "./transaction.ts";
import { registerWorker, touchWorker } from "./worker/worker-rows.ts";
import { holdWorkerSession } from "./worker/worker-session.ts";

export interface PostgresRepositoryOptions extends DatabaseOptions {
  /** How long artifacts are kept after a run's end. */
  readonly artifactRetentionMs: number;
  /** Straight to the server where `connectionString` goes by way of a pooler; default the same. */
  readonly directConnectionString?: string | undefined;
  /** Workers hold a session lock, so that others notice their death at once. Default true. */
  readonly sessionLock?: boolean | undefined;
}

const HEARTBEAT_SILENCE_MS = 5_000;

/**
 * Runs in PostgreSQL 15 to 18. Opens connections when they are first needed; leases are renewed on
 * a connection of their own, so that a busy pool cannot cost a worker its runs. The deployment's
 * credentials are there too, what gateways have recorded (model calls and egress), and statistics.
 */
export function postgresRunRepository(options: PostgresRepositoryOptions): RunRepository &
  AsyncDisposable & {
    readonly credentials: CredentialRepository;
    readonly modelCalls: ModelCallRepository;
    readonly egress: EgressRepository;
    readonly statistics: RunStatisticsReader;
    readonly surroundings: RunSurroundingsReader;
  } {
  const database = openDatabase(options);
  const heartbeat = openDatabase({
    ...options,
    maxConnections: 1,
    // Dead or alive must be known soon enough to try again before the lease is over.
    silenceMs: HEARTBEAT_SILENCE_MS,
    applicationName: `${options.applicationName ?? "speckit"} heartbeat`,
  });
  return {
    credentials: credentialRepository(database),
    modelCalls: modelCallRepository(database),
    egress: egressRepository(database),
    statistics: runStatisticsReader(database),
    surroundings: runSurroundingsReader(database),
    insertRun: (run) => insertRun(database, run),
    findRun: (runId) => inStatement(() => findRun(database, runId)),
    listRuns: (filter) => inStatement(() => listRuns(database, filter)),
    attemptsOf: (runId) => inStatement(() => attemptsOf(database, runId)),
    artifactsOf: (runId) => inStatement(() => artifactsOf(database, runId)),
    eventsOf: (runId, range) => inStatement(() => eventsAfter(database, runId, range)),
    checkpointOf: (runId) => inStatement(() => checkpointOf(database, runId)),
    registerWorker: (hostname) => inStatement(() => registerWorker(database, hostname)),
    touchWorker: (workerId, engineId) =>
      inStatement(() => touchWorker(heartbeat, workerId, engineId)),
    holdSession: async (workerId) =>
      options.sessionLock === false
        ? new AsyncDisposableStack()
        : holdWorkerSession({
            connectionString: options.directConnectionString ?? options.connectionString,
            workerId,
            logger: options.logger,
          }),
    claimRun: (claim) => claimRun(database, claim),
    renewLeases: (holds, leaseMs) => inStatement(() => renewLeases(heartbeat, holds, leaseMs)),
    releaseRun: (hold, events) => releaseRun(database, hold, events),
    startAttempt: (hold, phase) => startAttempt(database, hold, phase),
    useStartTicket: (hold, phase, attempt) =>
      inStatement(() => useStartTicket(database, hold, phase, attempt)),
    placeAttempt: (hold, placed) => placeAttempt(database, hold, placed),
    openAttempts: (names) => inStatement(() => openAttempts(database, names)),
    commitAttempt: (hold, commit) =>
      commitAttempt(database, hold, commit, options.artifactRetentionMs),
    allotFeatureDirectory: (hold, allot) => allotFeatureDirectory(database, hold, allot),
    appendEvents: (hold, events) =>
      inTransaction(database, async (trx) => {
        await guardRun(trx, hold);
        await appendEvents(trx, hold.runId, events);
      }),
    addArtifacts: (hold, artifacts) =>
      inTransaction(database, async (trx) => {
        await guardRun(trx, hold);
        await insertArtifacts(trx, hold.runId, artifacts);
      }),
    finishCleanup: (hold, attempt) => finishCleanup(database, hold, attempt),
    storeCommand: (command, bodyHash) => storeCommand(database, command, bodyHash),
    answersOf: (runId) => inStatement(() => answersOf(database, runId)),
    unsentEvents: (runId, limit) => inStatement(() => unsentEvents(database, runId, limit)),
    markEventsSent: (runId, seq) => inStatement(() => markEventsSent(database, runId, seq)),
    sweepRuns: (sweep) => inStatement(() => sweepRuns(database, sweep)),
    countNeverClaimed: () => inStatement(() => countNeverClaimed(database)),
    runsWithUnsentEvents: (limit) => inStatement(() => runsWithUnsentEvents(database, limit)),
    closedRuns: (runIds, forMs) => inStatement(() => closedRuns(database, runIds, forMs)),
    deploymentId: () =>
      inStatement(async () => {
        const row = await database
          .selectFrom("spec_workflow_deployment")
          .select("id")
          .executeTakeFirstOrThrow();
        return row.id;
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all([database.destroy(), heartbeat.destroy()]);
    },
  };
}
