import type pg from "pg";
import { type Diagnosis, fine, problem, warning } from "../../../ports/diagnosis.ts";

const OLDEST = 15;
const NEWEST = 18;

interface ServerFacts {
  readonly version: string;
  readonly number: number;
  readonly standby: boolean;
  readonly read_only: string;
  readonly switched_off: readonly string[];
  /** Connections that this role may have in this database, and those it has. */
  readonly most: number;
  readonly used: number;
  readonly role_most: number;
  readonly role_used: number;
}

/** Version, writes, connections and durability of the server that a session leads to. */
export async function lookAtServer(
  client: pg.Client,
  { neededConnections }: { readonly neededConnections: number },
): Promise<readonly Diagnosis[]> {
  // Limits of role and database do not bind a superuser, and a role sees only how many others there are.
  const { rows } = await client.query<ServerFacts>(`
    SELECT current_setting('server_version') AS version,
      current_setting('server_version_num')::int AS number,
      pg_is_in_recovery() AS standby,
      current_setting('transaction_read_only') AS read_only,
      (SELECT coalesce(array_agg(name ORDER BY name), '{}') FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off') AS switched_off,
      current_setting('max_connections')::int
        - CASE WHEN role.rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::int END AS most,
      (SELECT count(*)::int FROM pg_stat_activity WHERE datid IS NOT NULL) AS used,
      CASE WHEN role.rolsuper THEN -1
        ELSE least(nullif(role.rolconnlimit, -1), nullif(base.datconnlimit, -1)) END AS role_most,
      (SELECT count(*)::int FROM pg_stat_activity
        WHERE CASE WHEN base.datconnlimit = -1 THEN usesysid = role.oid ELSE datid = base.oid END) AS role_used
    FROM pg_roles AS role, pg_database AS base
    WHERE role.rolname = current_user AND base.datname = current_database()
  `);
  const [facts] = rows;
  return facts === undefined
    ? []
    : [
        versionOf(facts),
        writesOf(facts),
        connectionsOf(facts, neededConnections),
        durabilityOf(facts),
      ];
}

function versionOf({ version, number }: ServerFacts): Diagnosis {
  const major = Math.floor(number / 10_000);
  if (major < OLDEST) {
    return problem("database.version", `PostgreSQL ${version}, too old`);
  }
  return major > NEWEST
    ? warning("database.version", `PostgreSQL ${version}, newer than any that was tried`)
    : fine("database.version", `PostgreSQL ${version}`);
}

function writesOf({ standby, read_only: readOnly }: ServerFacts): Diagnosis {
  if (standby) {
    return problem("database.writable", "the server is a standby: nothing can be written");
  }
  return readOnly === "on"
    ? problem(
        "database.writable",
        "transactions are read-only here",
        "Switch default_transaction_read_only off for this role, database or server.",
      )
    : fine("database.writable", "the server takes writes");
}

function connectionsOf(facts: ServerFacts, needed: number): Diagnosis {
  const limited = (facts.role_most ?? -1) >= 0;
  const most = limited ? Math.min(facts.most, facts.role_most) : facts.most;
  const free = Math.min(
    facts.most - facts.used,
    limited ? facts.role_most - facts.role_used : Number.POSITIVE_INFINITY,
  );
  const found = `${Math.max(free, 0)} of ${most} are free, a worker takes up to ${needed}`;
  if (most < needed) {
    return problem("database.connections", found);
  }
  return free < needed
    ? warning("database.connections", found)
    : fine("database.connections", found);
}

function durabilityOf({ switched_off: off }: ServerFacts): Diagnosis {
  return off.length === 0
    ? fine("database.durability", "what is committed is on disk")
    : warning("database.durability", `switched off: ${off.join(", ")}`);
}
