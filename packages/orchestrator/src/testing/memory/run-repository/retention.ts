import type { KeepVerdict } from "../../../ports/run-repository.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import type { RunRow } from "./rows.ts";
import { isRunId } from "./times.ts";

const FILES_FIRST_MS = 86_400_000;

export function keepRun(
  database: MemoryDatabase,
  runId: string,
  keptReason: string | null,
): KeepVerdict {
  const run = isRunId(runId) ? database.rowsOf(runId)?.run : undefined;
  if (run === undefined) {
    return "no such run";
  }
  if (run.artifactsDeletedAt !== null) {
    return "its artifacts are deleted";
  }
  change(database, run, { keptAt: run.keptAt ?? database.now(), keptReason });
  return "kept";
}

export function releaseKeptRun(database: MemoryDatabase, runId: string, graceMs: number): boolean {
  const run = isRunId(runId) ? database.rowsOf(runId)?.run : undefined;
  if (run?.keptAt != null) {
    const artifactsExpireAt =
      run.artifactsExpireAt === null
        ? null
        : Math.max(run.artifactsExpireAt, database.now() + graceMs);
    change(database, run, { keptAt: null, keptReason: null, artifactsExpireAt });
  }
  return run !== undefined;
}

export function giveUpArtifacts(database: MemoryDatabase, limit: number): number {
  const nowMs = database.now();
  const due = [...database.all()]
    .map(({ run }) => ({ run, atMs: run.artifactsExpireAt ?? Number.POSITIVE_INFINITY }))
    .filter(
      ({ run, atMs }) =>
        run.artifactsDeletedAt === null &&
        run.keptAt === null &&
        run.cleanedAt !== null &&
        atMs <= nowMs,
    )
    .sort((a, b) => a.atMs - b.atMs)
    .slice(0, limit);
  for (const { run } of due) {
    change(database, run, { artifactsDeletedAt: nowMs });
  }
  return due.length;
}

export function runsWithArtifacts(
  database: MemoryDatabase,
  { after = "", limit }: { readonly after?: string | undefined; readonly limit: number },
): readonly string[] {
  return [...database.all()]
    .filter(
      ({ run, artifacts }) =>
        run.cleanedAt !== null && run.artifactsDeletedAt === null && artifacts.size > 0,
    )
    .map(({ run }) => run.runId)
    .filter((runId) => runId > after)
    .sort()
    .slice(0, limit);
}

export function deleteOldRows(
  database: MemoryDatabase,
  { olderThanMs, limit }: { readonly olderThanMs: number; readonly limit: number },
): { readonly runs: number; readonly workers: number } {
  const nowMs = database.now();
  const isBefore = (atMs: number | null, ms: number): boolean =>
    atMs !== null && atMs <= nowMs - ms;
  const runs = [...database.all()]
    .filter(
      ({ run }) =>
        isBefore(run.artifactsDeletedAt, FILES_FIRST_MS) && isBefore(run.finishedAt, olderThanMs),
    )
    .sort((a, b) => (a.run.finishedAt ?? 0) - (b.run.finishedAt ?? 0))
    .slice(0, limit);
  for (const { run } of runs) {
    database.remove(run.runId);
  }
  const owners = new Set([...database.all()].map(({ run }) => run.leaseOwner));
  const workers = [...database.workers]
    .filter(([id, { seenAt }]) => isBefore(seenAt, olderThanMs) && !owners.has(id))
    .slice(0, limit);
  for (const [id] of workers) {
    database.workers.delete(id);
  }
  return { runs: runs.length, workers: workers.length };
}

function change(database: MemoryDatabase, { runId }: RunRow, more: Partial<RunRow>): void {
  database.change(runId, (draft) => {
    draft.run = { ...draft.run, ...more };
  });
}
