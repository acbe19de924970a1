import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

const WITHIN_MS = 120_000;

/** What the rows tell of runs that change hands. */
export interface Takeovers extends AsyncDisposable {
  /** Resolves when this worker has an agent at work. */
  readonly untilAtWork: (workerId: number) => Promise<void>;
  /**
   * When the phase of the run that this worker had was started again by another one: milliseconds
   * since 1970, by the database's clock.
   */
  readonly untilTakenOver: (workerId: number) => Promise<number>;
}

export function takeovers(databaseUrl: string): Takeovers {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  const until = async (sql: string, workerId: number): Promise<number> => {
    const untilMs = performance.now() + WITHIN_MS;
    for (;;) {
      const { rows } = await pool.query<{ at: string }>(sql, [workerId]);
      if (rows[0] !== undefined) {
        return Number(rows[0].at);
      }
      if (performance.now() > untilMs) {
        throw new Error(`Worker ${workerId}: nothing seen within ${WITHIN_MS / 1_000} s`);
      }
      await pause(10);
    }
  };
  return {
    untilAtWork: async (workerId) => void (await until(AT_WORK, workerId)),
    untilTakenOver: (workerId) => until(TAKEN_OVER, workerId),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

const AT_WORK = `
  SELECT extract(epoch FROM task.ticket_used_at) * 1000 AS at
  FROM spec_workflow_runs AS run
  JOIN spec_workflow_task_states AS task ON task.run_id = run.id
  WHERE run.lease_owner = $1 AND task.state = 'running' AND task.ticket_used_at IS NOT NULL`;

/** The first owner of a run is told by its event; the start that counts is the one after its own. */
const TAKEN_OVER = `
  SELECT extract(epoch FROM task.started_at) * 1000 AS at
  FROM spec_workflow_events AS event
  JOIN spec_workflow_task_states AS task ON task.run_id = event.run_id
  WHERE event.type = 'run.started' AND (event.data ->> 'workerId')::bigint = $1
    AND task.phase = 'specify' AND task.attempt = 2`;
