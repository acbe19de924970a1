import type { EventRecord } from "../../../ports/run-record.ts";
import type { RunRepository } from "../../../ports/run-repository.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import type { RunRow } from "./rows.ts";
import { isRunId } from "./times.ts";

const HALF_HOUR_MS = 1_800_000;

export function sweepRuns(
  database: MemoryDatabase,
  options: Parameters<RunRepository["sweepRuns"]>[0],
): readonly { readonly runId: string; readonly everClaimed: boolean }[] {
  const nowMs = database.now();
  const isFree = ({ leaseUntil }: RunRow): boolean =>
    leaseUntil === null || leaseUntil <= nowMs || leaseUntil > nowMs + 2 * options.leaseMs;
  const due: RunRow[] = [];
  for (const { run } of database.all()) {
    if (
      run.wakeAt !== null &&
      run.wakeAt <= nowMs &&
      isFree(run) &&
      (options.only === undefined || options.only.toLowerCase() === run.runId)
    ) {
      due.push(run);
    }
  }
  due.sort((a, b) => (a.wakeAt ?? 0) - (b.wakeAt ?? 0));
  return due.slice(0, options.limit).map(({ runId, sweeps, epoch }) => {
    database.change(runId, (draft) => {
      const restMs = Math.min(HALF_HOUR_MS, 30_000 * 2 ** Math.min(sweeps, 6));
      draft.run = { ...draft.run, sweeps: sweeps + 1, wakeAt: nowMs + restMs };
    });
    return { runId, everClaimed: epoch > 0 };
  });
}

export function countNeverClaimed(database: MemoryDatabase): number {
  let count = 0;
  for (const { run } of database.all()) {
    count += run.epoch === 0 ? 1 : 0;
  }
  return count;
}

export function runsWithUnsentEvents(database: MemoryDatabase, limit: number): readonly string[] {
  const nowMs = database.now();
  const found: string[] = [];
  for (const { run } of database.all()) {
    const isFree = run.leaseUntil === null || run.leaseUntil <= nowMs;
    if (run.sentSeq < run.lastSeq && isFree && found.length < limit) {
      found.push(run.runId);
    }
  }
  return found;
}

export function unsentEvents(
  database: MemoryDatabase,
  runId: string,
  limit: number,
): readonly EventRecord[] {
  const rows = database.rowsOf(runId);
  return rows === undefined ? [] : rows.events.slice(rows.run.sentSeq, rows.run.sentSeq + limit);
}

export function markEventsSent(database: MemoryDatabase, runId: string, seq: number): void {
  const run = database.rowsOf(runId)?.run;
  if (run !== undefined && run.sentSeq < seq) {
    database.change(runId, (draft) => {
      draft.run = { ...draft.run, sentSeq: seq };
    });
  }
}

export function closedRuns(
  database: MemoryDatabase,
  runIds: readonly string[],
  forMs: number,
): readonly { readonly runId: string; readonly gitRemote: string }[] {
  const latestMs = database.now() - forMs;
  return runIds.filter(isRunId).flatMap((id) => {
    const run = database.rowsOf(id)?.run;
    return run?.cleanedAt != null && run.cleanedAt <= latestMs
      ? [{ runId: run.runId, gitRemote: run.gitRemote }]
      : [];
  });
}
