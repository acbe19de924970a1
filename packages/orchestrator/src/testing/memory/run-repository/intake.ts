import type { RunRecord } from "../../../ports/run-record.ts";
import type { InsertRunResult, NewRun, RunFilter } from "../../../ports/run-repository.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import { newRunRow } from "./new-run-row.ts";
import { type RunRows, runRecord } from "./rows.ts";

export function insertRun(database: MemoryDatabase, asked: NewRun): InsertRunResult {
  const runId = asked.runId.toLowerCase();
  const key = asked.request.idempotencyKey;
  const found = findByKey(database, runId, key);
  if (found !== undefined) {
    const same = found.run.requestHash === asked.requestHash;
    return {
      inserted: false,
      because: same ? "same_request" : "other_request",
      run: runRecord(found.run, database.now()),
    };
  }
  for (const { run } of database.all()) {
    if (run.gitRemote === asked.gitRemote && run.branch === asked.branch && run.outcome === null) {
      return { inserted: false, because: "branch_busy", runId: run.runId };
    }
  }
  const { repository, branch, agent, pipeline } = asked;
  const goesOn = asked.goesOn === undefined ? undefined : goOnFrom(database, runId, asked.goesOn);
  const data = { repository, branch, agent, pipeline, ...goesOn?.told };
  const row = { ...newRunRow(database.now(), { ...asked, runId }), ...goesOn?.facts };
  database.insert(row, [{ type: "run.accepted", data }], goesOn?.checkpoint);
  if (asked.goesOn !== undefined && !database.commands.has(runId)) {
    database.commands.set(runId, {
      runId: asked.goesOn.from,
      bodyHash: asked.requestHash,
    });
  }
  return { inserted: true, run: runRecord({ ...row, lastSeq: 1 }, database.now()) };
}

/** What a run that has ended hands on. */
function goOnFrom(
  database: MemoryDatabase,
  runId: string,
  { by, from }: NonNullable<NewRun["goesOn"]>,
) {
  const old = database.rowsOf(from);
  if (old === undefined || old.run.outcome === null) {
    throw new Error(`Run ${runId} cannot go on from ${from}, which has not ended`);
  }
  const { featureDirectory, featureNumber, baseBranch, baseSha, branchOldSha, tipSha } = old.run;
  const { specKit, summary, pushed, diff } = old.run;
  const phaseIx = by === "retry" ? old.run.phaseIx : 0;
  const changed = tipSha !== null && baseSha !== null && tipSha !== baseSha;
  return {
    facts: {
      retryOf: old.run.runId,
      featureDirectory,
      featureNumber,
      baseBranch,
      baseSha,
      branchOldSha,
      tipSha,
      specKit,
      summary,
      pushed,
      diff,
      phaseIx,
      firstPhaseIx: phaseIx,
      changedBefore: changed,
    },
    checkpoint: old.checkpoint,
    told: { retryOf: old.run.runId, phaseIx, changed },
  };
}

/** By id or idempotency key; where both name different runs, the key decides. */
function findByKey(
  database: MemoryDatabase,
  runId: string,
  key: string | undefined,
): RunRows | undefined {
  if (key !== undefined) {
    for (const rows of database.all()) {
      if (rows.run.request.idempotencyKey === key) {
        return rows;
      }
    }
  }
  return database.rowsOf(runId);
}

export function listRuns(database: MemoryDatabase, filter: RunFilter): readonly RunRecord[] {
  const nowMs = database.now();
  const newest = [...database.all()].map(({ run }) => run).reverse();
  const before = filter.before?.toLowerCase();
  const place = before === undefined ? -1 : newest.findIndex(({ runId }) => runId === before);
  if (before !== undefined && place === -1) {
    return [];
  }
  return newest
    .slice(place + 1)
    .map((run) => runRecord(run, nowMs))
    .filter(
      (run) =>
        (filter.status === undefined || run.status === filter.status) &&
        (filter.repository === undefined || run.repository === filter.repository),
    )
    .slice(0, Math.min(filter.limit ?? 50, 1_000));
}
