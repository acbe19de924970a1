import { failureOf } from "../../../domain/speckit-error.ts";
import { type Diagnosis, problem } from "../../../ports/diagnosis.ts";
import { translateDatabaseError } from "../database-errors.ts";

const WRONG_LOGIN =
  "Correct user and password in DATABASE_URL (or the file of DATABASE_URL_FILE), or let the user in by pg_hba.conf.";
const BY_CODE: Readonly<Record<string, string>> = {
  "28000": WRONG_LOGIN,
  "28P01": WRONG_LOGIN,
  "3D000": "Create the database, or correct its name in DATABASE_URL.",
  "42501": "GRANT CONNECT on the database to the user of DATABASE_URL.",
  "53300": "Raise max_connections or the role's connection limit; something has them all.",
  "57P03": "Wait until the server has started, then look again.",
};

/** PgBouncer's words for what the pool of a worker says at its start; it has no code of its own for them. */
const UNKNOWN_PARAMETER = /^unsupported startup parameter/;
const PASS_PARAMETERS =
  "Let the pooler pass or ignore them; PgBouncer: ignore_startup_parameters = extra_float_digits, statement_timeout, idle_in_transaction_session_timeout.";

/** Why there is no connection, and whose matter that is. */
export function refusedConnection(error: unknown): Diagnosis {
  const { message } = failureOf(translateDatabaseError(error));
  return problem("database.connection", message, remedyOf(error));
}

function remedyOf(error: unknown): string | undefined {
  const { message = "", code = "" } = Object(error) as { message?: string; code?: string };
  if (UNKNOWN_PARAMETER.test(message)) {
    return PASS_PARAMETERS;
  }
  // pg has no code for a server that asks for a password when the URL has none.
  return message.startsWith("SASL: ") ? WRONG_LOGIN : BY_CODE[code];
}
