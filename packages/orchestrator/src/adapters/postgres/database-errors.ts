import { isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";

/** SQLSTATE (or its class) and errno of faults that another try may not meet. */
const UNAVAILABLE = new Set([
  "08000", // connection_exception
  "08001",
  "08003", // connection_does_not_exist
  "08004",
  "08006", // connection_failure
  "25P03", // idle_in_transaction_session_timeout: we stood still and lost our locks
  "25006", // read_only_sql_transaction: a standby answers after a fail-over
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "53000", // insufficient_resources
  "53100", // disk_full
  "53200", // out_of_memory
  "53300", // too_many_connections
  "55P03", // lock_not_available
  "57014", // query_canceled: statement_timeout
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "57P05", // idle_session_timeout
  "58030", // io_error
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT", // the socket of a stopped server
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** Refusals that no waiting heals. */
const REFUSED = new Set([
  "28000", // invalid_authorization_specification
  "28P01", // invalid_password
  "3D000", // invalid_catalog_name
  "42501", // insufficient_privilege
]);

/** What pg and Kysely throw without a code. */
const CODELESS = [
  "Connection terminated",
  "timeout exceeded when trying to connect",
  "Client has encountered a connection error",
  "Query read timeout",
  "server closed the connection",
  // Whatever comes after a COMMIT or ROLLBACK that did not get through, on the same connection.
  "Postgres connection has been discarded",
];

/** The same error with a code of ours, where it has a name; else the error itself. */
export function translateDatabaseError(error: unknown): unknown {
  if (isSpeckitError(error) || !(error instanceof Error)) {
    return error;
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  // pg has no code for a server that asks for a password when the URL has none.
  if (code === undefined ? error.message.startsWith("SASL: ") : REFUSED.has(code)) {
    return new SpeckitError("SERVICE_REFUSED", `PostgreSQL refused: ${error.message}`, {
      cause: error,
    });
  }
  const away =
    code === undefined
      ? CODELESS.some((text) => error.message.startsWith(text)) || error.name === "AggregateError"
      : UNAVAILABLE.has(code);
  return away
    ? new SpeckitError("DATABASE_UNAVAILABLE", `PostgreSQL: ${error.message || code}`, {
        cause: error,
      })
    : error;
}
