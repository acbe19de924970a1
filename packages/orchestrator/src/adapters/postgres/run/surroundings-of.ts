import { type Kysely, sql } from "kysely";
import {
  type RunSurroundings,
  type RunSurroundingsReader,
  WORKER_HEARD_WITHIN_MS,
} from "../../../ports/run-surroundings.ts";
import { eventRecord } from "../event/read-events.ts";
import type { Database } from "../schema.ts";
import { inTransaction, type Queryable } from "../transaction.ts";
import { isRunId } from "./is-run-id.ts";

const MESSAGES = 3;

export function runSurroundingsReader(database: Kysely<Database>): RunSurroundingsReader {
  return {
    surroundingsOf: async (runId) =>
      isRunId(runId)
        ? inTransaction(database, async (trx) => {
            const around = await aroundOf(trx, runId);
            return around === undefined
              ? undefined
              : { ...around, lastMessages: await lastMessagesOf(trx, runId) };
          })
        : undefined,
  };
}

interface Row {
  readonly now: Date;
  readonly workerId: number | null;
  readonly hostname: string;
  readonly seenAt: Date;
  readonly workersSeen: number;
  readonly runsBefore: number;
  readonly credential: string | null;
  readonly coolingUntil: Date;
  readonly reason: NonNullable<RunSurroundings["coolDown"]>["reason"];
  readonly engineId: string | null;
  readonly engineSeenAt: Date | null;
}

async function aroundOf(
  database: Queryable,
  runId: string,
): Promise<Omit<RunSurroundings, "lastMessages"> | undefined> {
  const result = await sql<Row>`
    SELECT clock_timestamp() AS now,
      worker.id AS "workerId", worker.hostname, worker.seen_at AS "seenAt",
      (SELECT count(*) FROM spec_workflow_workers AS other WHERE other.seen_at >
        clock_timestamp() - ${WORKER_HEARD_WITHIN_MS}::float8 * interval '1 millisecond')
        AS "workersSeen",
      (SELECT count(*) FROM spec_workflow_runs AS other
        WHERE run.epoch = 0 AND other.epoch = 0 AND other.created_at < run.created_at)
        AS "runsBefore",
      rest.name AS credential, rest.cooling_until AS "coolingUntil", rest.reason,
      task.engine_id AS "engineId",
      (SELECT max(engine_seen_at) FROM spec_workflow_workers AS other
        WHERE other.engine_id = task.engine_id) AS "engineSeenAt"
    FROM spec_workflow_runs AS run
    LEFT JOIN spec_workflow_workers AS worker ON worker.id = run.lease_owner
    LEFT JOIN spec_workflow_credentials AS rest
      ON rest.name = run.credential AND rest.cooling_until > clock_timestamp()
    LEFT JOIN spec_workflow_task_states AS task
      ON task.run_id = run.id AND task.state = 'running'
    WHERE run.id = ${runId}
  `.execute(database);
  const [row] = result.rows;
  if (row === undefined) {
    return undefined;
  }
  const { now, workerId, hostname, seenAt, workersSeen, runsBefore } = row;
  const { credential, coolingUntil: until, reason, engineId } = row;
  return {
    now,
    owner: workerId === null ? null : { workerId, hostname, seenAt },
    workersSeen,
    runsBefore,
    coolDown: credential === null ? null : { credential, until, reason },
    engine: engineId === null ? null : { engineId, seenAt: row.engineSeenAt },
  };
}

async function lastMessagesOf(
  database: Queryable,
  runId: string,
): Promise<RunSurroundings["lastMessages"]> {
  const rows = await database
    .selectFrom("spec_workflow_events")
    .selectAll()
    .where("run_id", "=", runId)
    .where("type", "=", "phase.message")
    .orderBy("seq", "desc")
    .limit(MESSAGES)
    .execute();
  return rows.map(eventRecord).reverse();
}
