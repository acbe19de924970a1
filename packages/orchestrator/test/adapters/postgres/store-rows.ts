import type { RunRows } from "../../../src/testing/memory/run-repository/rows.ts";
import type { SqlClient } from "./sql-client.ts";

const RUNS = `id, request, request_hash, repository, git_remote, branch, agent, pipeline, outcome,
  failure, phase_ix, parked_for, credential, epoch, lease_owner, lease_until, due_at, wake_at,
  created_at, started_at, finished_at, cleaned_at`;
const ATTEMPTS =
  "run_id, phase, attempt, state, epoch, failure, usage, engine_id, container_id, token_key, started_at, ended_at";

/** Stores runs with their attempts as they are, past every rule of the adapter. */
export async function storeRows(sql: SqlClient, all: readonly RunRows[]): Promise<void> {
  const date = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  const insert = (table: string, columns: string, rows: readonly object[]) =>
    sql.query(
      `INSERT INTO spec_workflow_${table} (${columns})
       SELECT ${columns} FROM jsonb_populate_recordset(NULL::spec_workflow_${table}, $1)`,
      [JSON.stringify(rows)],
    );
  await insert(
    "runs",
    RUNS,
    all.map(({ run }) => ({
      ...run,
      id: run.runId,
      request_hash: run.requestHash,
      git_remote: run.gitRemote,
      phase_ix: run.phaseIx,
      parked_for: run.parkedFor,
      lease_owner: run.leaseOwner,
      lease_until: date(run.leaseUntil),
      due_at: date(run.dueAt),
      wake_at: date(run.wakeAt),
      created_at: date(run.createdAt),
      started_at: date(run.startedAt),
      finished_at: date(run.finishedAt),
      cleaned_at: date(run.cleanedAt),
    })),
  );
  await insert(
    "task_states",
    ATTEMPTS,
    all.flatMap(({ run, attempts }) =>
      attempts.map((row) => ({
        ...row,
        run_id: run.runId,
        engine_id: row.place?.engineId,
        container_id: row.place?.containerId,
        token_key: row.place?.tokenKey,
        started_at: date(row.startedAt),
        ended_at: date(row.endedAt),
      })),
    ),
  );
}
