import type { NewEvent } from "../../../ports/attempt-commit.ts";
import type { CoolDownReason } from "../../../ports/credential-repository.ts";
import type { ModelCall } from "../../../ports/model-gateway.ts";
import type { EventRecord } from "../../../ports/run-record.ts";
import { checkRows } from "./check-rows.ts";
import { type AttemptRow, type RunRow, type RunRows, stored } from "./rows.ts";

/** One run's rows inside a transaction. What is changed here becomes true together or not at all. */
export interface Draft {
  run: RunRow;
  attempts: readonly AttemptRow[];
  artifacts: RunRows["artifacts"];
  checkpoint: Uint8Array | undefined;
  proposed: Uint8Array | undefined;
  answers: RunRows["answers"];
  /** Numbered and stored with the commit. */
  readonly newEvents: NewEvent[];
}

export interface MemoryDatabaseOptions {
  /** The server's clock: it may be set forward and back while it runs. */
  readonly clock: { readonly nowMs: () => number };
  readonly deploymentId: string;
  /** How long artifacts are kept after a run's end. Default 7 days. */
  readonly artifactRetentionMs?: number;
}

/**
 * The one database that the repositories of several workers share: tables, the server's clock, and
 * the session locks by which workers show that they live. It is linearizable: a transaction runs in
 * one go, and what throws has changed nothing. It refuses what the schema's constraints refuse.
 */
export interface MemoryDatabase {
  readonly deploymentId: string;
  readonly artifactRetentionMs: number;
  /** `clock_timestamp()`: never the same twice while the clock goes forward. */
  readonly now: () => number;
  readonly rowsOf: (runId: string) => RunRows | undefined;
  /** In order of their insert. */
  readonly all: () => Iterable<RunRows>;
  readonly insert: (
    run: RunRow,
    events: readonly NewEvent[],
    checkpoint: Uint8Array | undefined,
  ) => void;
  /** Runs a transaction on one run's rows. */
  readonly change: <T>(runId: string, work: (draft: Draft) => T) => T;
  /** Deletes a run with all that hangs on it. */
  readonly remove: (runId: string) => void;
  /** Commands that were taken, by their id. */
  readonly commands: Map<string, { readonly runId: string; readonly bodyHash: string }>;
  readonly workers: Map<
    number,
    {
      readonly hostname: string;
      seenAt: number;
      serverStart: number | null;
      engine: { readonly engineId: string; readonly seenAt: number } | undefined;
    }
  >;
  /** Until when each credential rests, by its name. */
  readonly credentials: Map<string, { readonly untilMs: number; readonly reason: CoolDownReason }>;
  /** What gateways have recorded, by attempt (`<run>/<phase>-<attempt>`). */
  readonly modelCalls: Map<string, RecordedAttempt>;
  /** An id that no worker has had before. */
  readonly newWorkerId: () => number;
  /** Takes a worker's session lock; its own last one goes. */
  readonly takeSession: (workerId: number) => void;
  /** The session ended: in order, or because its connection broke. */
  readonly endSession: (workerId: number) => void;
  /** A worker that had a session on this server has none any more. False also when nothing is known. */
  readonly isSessionGone: (workerId: number) => boolean;
  /** Every session ends, and nothing more is known of the workers that had one. */
  readonly restart: () => void;
}

export interface RecordedAttempt {
  readonly calls: readonly ModelCall[];
  readonly heardAt: Date | null;
}

const WEEK_MS = 7 * 86_400_000;

export function memoryDatabase(options: MemoryDatabaseOptions): MemoryDatabase {
  const tables = new Map<string, RunRows>();
  const workers: MemoryDatabase["workers"] = new Map();
  const commands: MemoryDatabase["commands"] = new Map();
  const modelCalls: MemoryDatabase["modelCalls"] = new Map();
  const sessions = new Set<number>();
  let serverStart = 1;
  let lastWorkerId = 0;
  let last = Number.NEGATIVE_INFINITY;
  let sameMs = 0;

  const now = (): number => {
    const ms = options.clock.nowMs();
    sameMs = ms === last ? sameMs + 1 : 0;
    last = ms;
    return ms + sameMs / 1_000;
  };

  const append = (
    runId: string,
    events: readonly EventRecord[],
    more: readonly NewEvent[],
  ): readonly EventRecord[] => {
    if (more.length === 0) {
      return events;
    }
    const createdAt = new Date(now());
    return [
      ...events,
      ...more.map((event, ix) => ({
        runId,
        seq: events.length + 1 + ix,
        type: event.type,
        phase: event.phase ?? null,
        attempt: event.attempt ?? null,
        data: event.data === undefined ? {} : stored(event.data),
        createdAt,
      })),
    ];
  };

  return {
    deploymentId: options.deploymentId,
    artifactRetentionMs: options.artifactRetentionMs ?? WEEK_MS,
    now,
    rowsOf: (runId) => tables.get(runId.toLowerCase()),
    all: () => tables.values(),
    insert(run, newEvents, checkpoint) {
      const events = append(run.runId, [], newEvents);
      const rows = {
        run: { ...run, lastSeq: events.length },
        attempts: [],
        events,
        artifacts: new Map(),
        checkpoint,
        proposed: undefined,
        answers: [],
      };
      checkRows(undefined, rows);
      tables.set(run.runId, rows);
    },
    change(runId, work) {
      const before = tables.get(runId.toLowerCase());
      if (before === undefined) {
        throw new Error(`There is no run ${runId}`);
      }
      const draft: Draft = { ...before, newEvents: [] };
      const result = work(draft);
      const { newEvents, ...changed } = draft;
      const events = append(before.run.runId, before.events, newEvents);
      const run = newEvents.length === 0 ? changed.run : { ...changed.run, lastSeq: events.length };
      const rows: RunRows = { ...changed, run, events };
      checkRows(before, rows);
      tables.set(before.run.runId, rows);
      return result;
    },
    remove(runId) {
      tables.delete(runId.toLowerCase());
      for (const rows of tables.values()) {
        if (rows.run.retryOf === runId) {
          tables.set(rows.run.runId, { ...rows, run: { ...rows.run, retryOf: null } });
        }
      }
      for (const [id, command] of commands) {
        if (command.runId === runId) {
          commands.delete(id);
        }
      }
      for (const attempt of modelCalls.keys()) {
        if (attempt.startsWith(`${runId}/`)) {
          modelCalls.delete(attempt);
        }
      }
    },
    commands,
    workers,
    credentials: new Map(),
    modelCalls,
    newWorkerId: () => {
      lastWorkerId += 1;
      return lastWorkerId;
    },
    takeSession(workerId) {
      sessions.add(workerId);
      const worker = workers.get(workerId);
      if (worker !== undefined) {
        worker.serverStart = serverStart;
      }
    },
    endSession: (workerId) => void sessions.delete(workerId),
    isSessionGone: (workerId) =>
      workers.get(workerId)?.serverStart === serverStart && !sessions.has(workerId),
    restart() {
      serverStart += 1;
      sessions.clear();
    },
  };
}
