import { oneLine } from "../../../domain/one-line.ts";
import { isSpeckitError } from "../../../domain/speckit-error.ts";
import { type Diagnosis, problem } from "../../../ports/diagnosis.ts";
import { translateDatabaseError } from "../database-errors.ts";

const WRONG_LOGIN =
  "Correct user and password in DATABASE_URL (or the file of DATABASE_URL_FILE), or let the user in by pg_hba.conf.";
const NO_DATABASE = "Create the database, or correct its name in DATABASE_URL.";
const BY_CODE: Readonly<Record<string, string>> = {
  "28000": WRONG_LOGIN,
  "28P01": WRONG_LOGIN,
  "3D000": NO_DATABASE,
  "42501": "GRANT CONNECT on the database to the user of DATABASE_URL.",
  "53300": "Raise max_connections or the role's connection limit; something has them all.",
  "57P03": "Wait until the server has started, then look again.",
};

/** Of what has no code of its own: pg's answer to a server that asks for a password, and PgBouncer. */
const BY_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^SASL: |password authentication failed|no such user/, WRONG_LOGIN],
  [/no such database/, NO_DATABASE],
  [
    /unsupported startup parameter/,
    "Let the pooler pass or ignore them; PgBouncer: ignore_startup_parameters = extra_float_digits, statement_timeout, idle_in_transaction_session_timeout.",
  ],
];

/** Why there is no connection, and whose matter that is. */
export function refusedConnection(error: unknown): Diagnosis {
  const known = translateDatabaseError(error);
  const { code = "", message = "" } = Object(error) as { code?: string; message?: string };
  const found = isSpeckitError(known) ? known.message : `PostgreSQL: ${oneLine(message, 300)}`;
  const byWords = BY_WORDS.find(([words]) => words.test(message))?.[1];
  return problem("database.connection", found, BY_CODE[code] ?? byWords);
}
