import { randomUUID } from "node:crypto";
import type { JobName } from "../../../src/ports/job-runtime.ts";
import type { SqlClient } from "./sql-client.ts";

/** Rows of attempts in containers, as an owner has left them. */
export interface PlacedAttempts {
  /** A new run with one open attempt. Without a key it ends with its worker. */
  readonly place: (tokenKey: string | null) => Promise<JobName>;
  readonly closeAttempt: (attempt: JobName) => Promise<void>;
  readonly endRun: (attempt: JobName) => Promise<void>;
  readonly requestCancel: (attempt: JobName) => Promise<void>;
}

export function placedAttempts(sql: SqlClient): PlacedAttempts {
  const ofRun = async (statement: string, { runId }: JobName): Promise<void> => {
    await sql.query(statement, [runId]);
  };
  return {
    async place(tokenKey) {
      const runId = randomUUID();
      await sql.query(
        `INSERT INTO spec_workflow_runs
           (id, request, request_hash, repository, git_remote, branch, agent, pipeline, epoch)
         VALUES ($1, '{}', 'x', 'owner/name', 'https://github.com/owner/name.git', $2, 'codex',
           '{prepare,specify}', 1)`,
        [runId, runId],
      );
      await sql.query(
        `INSERT INTO spec_workflow_task_states
           (run_id, phase, attempt, state, epoch, started_at, engine_id, container_id, token_key)
         VALUES ($1, 'specify', 1, 'running', 1, clock_timestamp(), $2, $2, $3)`,
        [runId, tokenKey === null ? null : "some", tokenKey],
      );
      return { runId, phase: "specify", attempt: 1 };
    },
    closeAttempt: (attempt) =>
      ofRun(
        `UPDATE spec_workflow_task_states SET state = 'failed', ended_at = clock_timestamp()
         WHERE run_id = $1`,
        attempt,
      ),
    endRun: (attempt) =>
      ofRun(
        `UPDATE spec_workflow_runs SET outcome = 'failed', finished_at = clock_timestamp()
         WHERE id = $1`,
        attempt,
      ),
    requestCancel: (attempt) =>
      ofRun(
        "UPDATE spec_workflow_runs SET cancel_requested_at = clock_timestamp() WHERE id = $1",
        attempt,
      ),
  };
}
