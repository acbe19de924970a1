import type pg from "pg";
import { type Diagnosis, fine, notLookedAt, warning } from "../../../ports/diagnosis.ts";

/** A worker that has missed so many heartbeats is not counted on. */
const MISSED_HEARTBEATS = 6;
/** Runs wait a moment on their way to a worker. */
const WAITS_TOO_LONG = "1 minute";
const SHOWN = 5;

/** What the tables tell about workers, runs and credentials. */
export async function lookAtFleet(
  client: pg.Client,
  subject: { readonly heartbeatMs: number; readonly isEmbedded: boolean },
): Promise<readonly Diagnosis[]> {
  const workers = await lookAtWorkers(client, subject.heartbeatMs);
  const waiting = await waitingRuns(client);
  if (subject.isEmbedded) {
    const because = "commands carry runs themselves here";
    return [
      notLookedAt("workers.seen", because),
      notLookedAt("runs.waiting", because),
      await lookAtCoolDowns(client),
    ];
  }
  return [workers.diagnosis, runsOf(waiting, workers.alive), await lookAtCoolDowns(client)];
}

async function lookAtWorkers(
  client: pg.Client,
  heartbeatMs: number,
): Promise<{ readonly alive: number; readonly diagnosis: Diagnosis }> {
  const { rows } = await client.query<{ alive: number; hosts: string[]; last: Date | null }>(
    `SELECT (count(*) FILTER (WHERE is_alive))::int AS alive, max(seen_at) AS last,
      coalesce(array_agg(DISTINCT hostname) FILTER (WHERE is_alive), '{}') AS hosts
    FROM (SELECT *, seen_at > clock_timestamp() - $1 * interval '1 millisecond' AS is_alive
      FROM spec_workflow_workers) AS workers`,
    [heartbeatMs * MISSED_HEARTBEATS],
  );
  const { alive = 0, hosts = [], last = null } = rows[0] ?? {};
  if (alive > 0) {
    const more = hosts.length > SHOWN ? " …" : "";
    const found = `${alive} at work, on ${hosts.slice(0, SHOWN).join(", ")}${more}`;
    return { alive, diagnosis: fine("workers.seen", found) };
  }
  const found =
    last === null
      ? "there has never been a worker"
      : `none is at work; the last was seen ${last.toISOString()}`;
  return { alive, diagnosis: warning("workers.seen", found) };
}

async function waitingRuns(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ runs: number }>(
    `SELECT count(*)::int AS runs FROM spec_workflow_runs
    WHERE outcome IS NULL AND parked_for IS NULL AND due_at < clock_timestamp() - $1::interval
      AND (lease_until IS NULL OR lease_until < clock_timestamp())`,
    [WAITS_TOO_LONG],
  );
  return rows[0]?.runs ?? 0;
}

function runsOf(waiting: number, workers: number): Diagnosis {
  if (waiting === 0) {
    return fine("runs.waiting", "none waits for a worker");
  }
  const runs = waiting === 1 ? "1 run has" : `${waiting} runs have`;
  const found = `${runs} waited for a worker for more than a minute`;
  return warning("runs.waiting", workers === 0 ? `${found}, and there is none` : found);
}

async function lookAtCoolDowns(client: pg.Client): Promise<Diagnosis> {
  const { rows } = await client.query<{ name: string; until: Date; reason: string | null }>(
    `SELECT name, cooling_until AS until, reason FROM spec_workflow_credentials
    WHERE cooling_until > clock_timestamp() ORDER BY name`,
  );
  return rows.length === 0
    ? fine("model.cool-downs", "no credential rests")
    : warning(
        "model.cool-downs",
        rows
          .map(({ name, until, reason }) => `${name} rests until ${until.toISOString()}: ${reason}`)
          .join("; "),
      );
}
