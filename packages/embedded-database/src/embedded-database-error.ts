export type EmbeddedDatabaseErrorCode =
  | "EMBEDDED_DATABASE_UNSUPPORTED"
  | "EMBEDDED_DATABASE_FAILED";

export interface EmbeddedDatabaseFailure {
  readonly code: EmbeddedDatabaseErrorCode;
  readonly message: string;
  /** What the reader can do about it, as one sentence. */
  readonly remedy: string;
  /** The last lines of `server.log`, oldest first; empty when the server was never asked. */
  readonly logTail: readonly string[];
}

/**
 * The embedded database cannot be had. Match on `code`:
 * `EMBEDDED_DATABASE_UNSUPPORTED`: this machine has no binaries for it, and waiting does not help.
 * `EMBEDDED_DATABASE_FAILED`: it should run here and did not; `logTail` holds what the server said.
 */
export class EmbeddedDatabaseError extends Error implements EmbeddedDatabaseFailure {
  override readonly name = "EmbeddedDatabaseError";
  readonly code: EmbeddedDatabaseErrorCode;
  readonly remedy: string;
  readonly logTail: readonly string[];

  constructor(
    failure: Omit<EmbeddedDatabaseFailure, "logTail"> & { readonly logTail?: readonly string[] },
    options?: ErrorOptions,
  ) {
    super(failure.message, options);
    this.code = failure.code;
    this.remedy = failure.remedy;
    this.logTail = failure.logTail ?? [];
  }
}

export const useOwnServersRemedy =
  "Set DATABASE_URL and AMQP_URL to use a PostgreSQL and a RabbitMQ of your own.";
