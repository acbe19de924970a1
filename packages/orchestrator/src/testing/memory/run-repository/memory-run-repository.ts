import type { RunRepository } from "../../../ports/run-repository.ts";
import {
  allotFeatureDirectory,
  openAttempts,
  placeAttempt,
  startAttempt,
  useStartTicket,
  withArtifacts,
} from "./attempts.ts";
import { finishCleanup } from "./closing.ts";
import { commitAttempt } from "./commit-attempt.ts";
import { insertRun, listRuns } from "./intake.ts";
import {
  closedRuns,
  countNeverClaimed,
  markEventsSent,
  runsWithUnsentEvents,
  sweepRuns,
  unsentEvents,
} from "./looking.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import { asOwner, claimRun, releaseRun, renewLeases } from "./ownership.ts";
import { attemptRecord, inOrder, runRecord } from "./rows.ts";
import { storeCommand } from "./store-command.ts";
import { isRunId } from "./times.ts";

/**
 * Runs in memory, for tests and simulations: many workers' repositories on one
 * {@link MemoryDatabase}. Keeps every rule that the PostgreSQL adapter keeps. Each operation takes
 * effect at once, at the call; whoever wants it later, lost or doubled puts that around it.
 */
export function memoryRunRepository(database: MemoryDatabase): RunRepository {
  const rowsOf = (runId: string) => (isRunId(runId) ? database.rowsOf(runId) : undefined);
  return {
    insertRun: async (run) => insertRun(database, run),
    findRun: async (runId) => {
      const rows = rowsOf(runId);
      return rows === undefined ? undefined : runRecord(rows.run, database.now());
    },
    listRuns: async (filter) => listRuns(database, filter),
    attemptsOf: async (runId) => {
      const nowMs = database.now();
      return inOrder(rowsOf(runId)?.attempts ?? []).map((row) => attemptRecord(row, nowMs));
    },
    artifactsOf: async (runId) => [...(rowsOf(runId)?.artifacts.values() ?? [])],
    eventsOf: async (runId, { afterSeq, limit }) =>
      (rowsOf(runId)?.events ?? []).slice(afterSeq, afterSeq + limit),
    checkpointOf: async (runId) => rowsOf(runId)?.checkpoint?.slice(),
    registerWorker: async (hostname) => {
      const workerId = database.workers.size + 1;
      database.workers.set(workerId, {
        hostname,
        seenAt: database.now(),
        serverStart: null,
        engine: undefined,
      });
      return workerId;
    },
    touchWorker: async (workerId, engineId) => {
      const worker = database.workers.get(workerId);
      if (worker !== undefined) {
        worker.seenAt = database.now();
        if (engineId !== undefined) {
          worker.engine = { engineId, seenAt: worker.seenAt };
        }
      }
    },
    holdSession: async (workerId) => {
      database.takeSession(workerId);
      return { [Symbol.asyncDispose]: async () => database.endSession(workerId) };
    },
    claimRun: async (claim) => claimRun(database, claim),
    renewLeases: async (holds, leaseMs) => renewLeases(database, holds, leaseMs),
    releaseRun: async (hold, events) => releaseRun(database, hold, events),
    startAttempt: async (hold, phase) => startAttempt(database, hold, phase),
    useStartTicket: async (hold, phase, attempt) => useStartTicket(database, hold, phase, attempt),
    placeAttempt: async (hold, placed) => placeAttempt(database, hold, placed),
    openAttempts: async (names) => openAttempts(database, names),
    commitAttempt: async (hold, commit) => commitAttempt(database, hold, commit),
    allotFeatureDirectory: async (hold, allot) => allotFeatureDirectory(database, hold, allot),
    appendEvents: async (hold, events) =>
      asOwner(database, hold, (draft) => void draft.newEvents.push(...events)),
    addArtifacts: async (hold, artifacts) =>
      asOwner(database, hold, (draft) => {
        draft.artifacts = withArtifacts(draft.artifacts, artifacts);
      }),
    finishCleanup: async (hold, attempt) => finishCleanup(database, hold, attempt),
    storeCommand: async (command, bodyHash) => storeCommand(database, command, bodyHash),
    answersOf: async (runId) => rowsOf(runId)?.answers ?? [],
    unsentEvents: async (runId, limit) => unsentEvents(database, runId, limit),
    markEventsSent: async (runId, seq) => markEventsSent(database, runId, seq),
    sweepRuns: async (options) => sweepRuns(database, options),
    countNeverClaimed: async () => countNeverClaimed(database),
    runsWithUnsentEvents: async (limit) => runsWithUnsentEvents(database, limit),
    closedRuns: async (runIds, forMs) => closedRuns(database, runIds, forMs),
    deploymentId: async () => database.deploymentId,
  };
}
