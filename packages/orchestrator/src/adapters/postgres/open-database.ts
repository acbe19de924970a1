import type { Socket } from "node:net";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import type { Logger } from "../../ports/logger.ts";
import type { Database } from "./schema.ts";

const INT8_OID = 20;

/**
 * int8 as number: epochs, sequences and byte counts stay far below 2^53, and a value above it is
 * refused rather than rounded.
 */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`int8 ${text} is beyond the safe integers`);
  }
  return value;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === INT8_OID && format !== "binary"
      ? parseInt8
      : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig["getTypeParser"],
};

export interface DatabaseOptions {
  readonly connectionString: string;
  /** Connections of the pool. Default 5. */
  readonly maxConnections?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /**
   * How long a connection in use may be silent before it is given up as dead: longer than any
   * statement may take. Default 5 s more than that.
   */
  readonly silenceMs?: number;
  /** Longest time of one statement. Default 30 s. */
  readonly statementTimeoutMs?: number;
  /** Longest time until there is a connection. Default 10 s. */
  readonly connectTimeoutMs?: number;
  readonly logger?: Logger;
}

const STATEMENT_TIMEOUT_MS = 30_000;

/** What each connection of a pool tells the server, or a pooler in between, when it is opened. */
export const POOL_PARAMETERS = {
  // A statement that takes this long waits for a lock or a dead server: better told than waited out.
  statement_timeout: STATEMENT_TIMEOUT_MS,
  // A worker frozen inside a transaction must not keep a run's row locked against the next owner.
  idle_in_transaction_session_timeout: 10_000,
} as const;

/** A pool of connections. Ends with {@link Kysely.destroy}. */
export function openDatabase(options: DatabaseOptions): Kysely<Database> {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const pool = new pg.Pool({
    connectionString: options.connectionString,
    max: options.maxConnections ?? 5,
    application_name: options.applicationName ?? "speckit",
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    ...POOL_PARAMETERS,
    statement_timeout: statementTimeoutMs,
    keepAlive: true,
    types,
  });
  // A connection that breaks is not an error of ours, but without a listener it would end the process:
  // of an idle one the pool tells, of one in use only the connection itself, beside the statement that fails.
  pool.on("error", (error) => {
    options.logger?.warn("database connection lost", { error: error.message });
  });
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
    const socket = socketOf(client);
    socket.on("timeout", () => socket.destroy());
  });
  // A host that vanished leaves its connections half open: the system would try for a quarter of an hour.
  const silenceMs = options.silenceMs ?? statementTimeoutMs + 5_000;
  pool.on("acquire", (client) => socketOf(client).setTimeout(silenceMs));
  pool.on("release", (_error, client) => socketOf(client).setTimeout(0));
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

/** Its types do not tell, but a client has a connection, and that one its socket. */
function socketOf(client: pg.PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}
