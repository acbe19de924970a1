import type { Phase } from "@speckit/orchestrator";
import { rowsOf } from "@speckit/testkit";

export interface AttemptRow {
  readonly phase: Phase;
  readonly attempt: number;
  readonly state: string;
  readonly failure: { readonly code: string; readonly class: string } | null;
}

export interface RunRow {
  readonly id: string;
  readonly outcome: string | null;
  readonly epoch: number;
  readonly cleaned: boolean;
  readonly failure: { readonly code: string } | null;
  readonly branch: string;
  readonly pullRequest: { readonly number: number | null } | null;
}

/** The runs of these ids there are, those that are not closed first. */
export const runRows = (databaseUrl: string, runIds: readonly string[]) =>
  rowsOf<RunRow>(
    databaseUrl,
    `SELECT id, outcome, epoch::integer, cleaned_at IS NOT NULL AS cleaned, failure, branch,
       pull_request AS "pullRequest"
     FROM spec_workflow_runs WHERE id = ANY ($1) ORDER BY cleaned_at IS NOT NULL`,
    [runIds],
  );

/** A run's attempts that were started, in the order of their start. */
export const attemptRows = (databaseUrl: string, runId: string) =>
  rowsOf<AttemptRow>(
    databaseUrl,
    `SELECT phase, attempt, state, failure FROM spec_workflow_task_states
     WHERE run_id = $1 AND attempt > 0 ORDER BY started_at, attempt`,
    [runId],
  );

/** Everything the database holds about a run, as one text. */
export async function dumpOfRun(databaseUrl: string, runId: string): Promise<string> {
  const rows = await rowsOf(
    databaseUrl,
    `SELECT (SELECT to_json(run) FROM spec_workflow_runs AS run WHERE id = $1) AS run,
       (SELECT json_agg(task ORDER BY phase, attempt)
        FROM spec_workflow_task_states AS task WHERE run_id = $1) AS tasks,
       (SELECT json_agg(event ORDER BY seq)
        FROM spec_workflow_events AS event WHERE run_id = $1) AS events,
       (SELECT json_agg(artifact ORDER BY name)
        FROM spec_workflow_artifacts AS artifact WHERE run_id = $1) AS artifacts`,
    [runId],
  );
  return JSON.stringify(rows, null, 1);
}

/** The sweeper's next look is now, as if the time had passed. */
export const makeDue = (databaseUrl: string, runId: string) =>
  rowsOf(databaseUrl, "UPDATE spec_workflow_runs SET wake_at = clock_timestamp() WHERE id = $1", [
    runId,
  ]);

/** A run that waits is due now, as if the time had passed. */
export const endWait = (databaseUrl: string, runId: string) =>
  rowsOf(
    databaseUrl,
    `UPDATE spec_workflow_runs SET due_at = clock_timestamp(), wake_at = clock_timestamp()
     WHERE id = $1 AND lease_until IS NULL AND due_at > clock_timestamp() AND outcome IS NULL`,
    [runId],
  );
