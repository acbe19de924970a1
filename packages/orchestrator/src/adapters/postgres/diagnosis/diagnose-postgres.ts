import type pg from "pg";
import type { CheckName } from "../../../ports/checks.ts";
import type { Clock } from "../../../ports/clock.ts";
import { type Diagnosis, fine, notLookedAt, problemOf } from "../../../ports/diagnosis.ts";
import { translateDatabaseError } from "../database-errors.ts";
import { POOL_PARAMETERS } from "../open-database.ts";
import { lookAtClock } from "./look-at-clock.ts";
import { lookAtDirectUrl } from "./look-at-direct-url.ts";
import { lookAtFleet } from "./look-at-fleet.ts";
import { lookAtSchema, type SchemaState } from "./look-at-schema.ts";
import { lookAtServer } from "./look-at-server.ts";
import { lookAtSession } from "./look-at-session.ts";
import { openSession } from "./open-session.ts";
import { refusedConnection } from "./refused-connection.ts";

export interface PostgresSubject {
  readonly connectionString: string;
  /** Of the session lock; undefined: the same. */
  readonly directConnectionString: string | undefined;
  readonly sessionLock: boolean;
  /** Connections a worker of this configuration opens. */
  readonly neededConnections: number;
  /** A worker says with each heartbeat that it is there. */
  readonly heartbeatMs: number;
  /** Nobody but commands at a terminal carries runs: no worker is missed. */
  readonly isEmbedded: boolean;
  readonly clock: Pick<Clock, "now" | "monotonicMs">;
}

export interface PostgresDiagnosis {
  readonly found: readonly Diagnosis[];
  /** Undefined where the database could not tell. */
  readonly deploymentId: string | undefined;
}

const OF_THE_SERVER = [
  "database.version",
  "database.writable",
  "database.connections",
  "database.durability",
] as const satisfies readonly CheckName[];
const OF_THE_FLEET = [
  "workers.seen",
  "runs.waiting",
  "model.cool-downs",
] as const satisfies readonly CheckName[];
const BEHIND_THE_CONNECTION = [
  ...OF_THE_SERVER,
  "database.clock",
  "database.schema",
  "database.rights",
  "database.session",
  ...OF_THE_FLEET,
] as const satisfies readonly CheckName[];

/**
 * Looks at a deployment's database, and at what it tells about workers and runs. Reads only: nothing is
 * migrated, written or locked.
 */
export async function diagnosePostgres(subject: PostgresSubject): Promise<PostgresDiagnosis> {
  let client: pg.Client;
  try {
    client = await openSession(subject.connectionString, POOL_PARAMETERS);
  } catch (error) {
    const because = "there is no database to ask";
    return {
      found: [
        refusedConnection(error),
        ...BEHIND_THE_CONNECTION.map((check) => notLookedAt(check, because)),
      ],
      deploymentId: undefined,
    };
  }
  try {
    const at = `${client.database ?? ""} at ${client.host}`;
    const found: Diagnosis[] = [fine("database.connection", `PostgreSQL answers: ${at}`)];
    found.push(...(await orProblem(OF_THE_SERVER, () => lookAtServer(client, subject))));
    found.push(...(await orProblem(["database.clock"], () => lookAtClock(client, subject.clock))));
    let schema: SchemaState | undefined;
    found.push(
      ...(await orProblem(["database.schema", "database.rights"], async () => {
        schema = await lookAtSchema(client);
        return schema.found;
      })),
    );
    found.push(...(await orProblem(["database.session"], () => lookAtSession(subject))));
    const deploymentId = schema?.isReadable === true ? await deploymentOf(client) : undefined;
    if (subject.directConnectionString !== undefined) {
      const { directConnectionString: url } = subject;
      found.push(...(await orProblem(["database.direct-url"], () => lookAtDirectUrl(client, url))));
    }
    found.push(
      ...(schema?.isReadable === true
        ? await orProblem(OF_THE_FLEET, () => lookAtFleet(client, subject))
        : OF_THE_FLEET.map((check) =>
            notLookedAt(check, "the tables are none that this program can read"),
          )),
    );
    return { found, deploymentId };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What a look that failed says: the first of its checks tells why, the others were not made. */
async function orProblem(
  [first, ...others]: readonly [CheckName, ...CheckName[]],
  look: () => Promise<readonly Diagnosis[]>,
): Promise<readonly Diagnosis[]> {
  try {
    return await look();
  } catch (error) {
    const because = "the database refused the look before";
    return [
      problemOf(first, translateDatabaseError(error)),
      ...others.map((check) => notLookedAt(check, because)),
    ];
  }
}

async function deploymentOf(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>("SELECT id FROM spec_workflow_deployment");
  return rows[0]?.id;
}
