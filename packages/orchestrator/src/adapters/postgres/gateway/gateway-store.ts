import { sql } from "kysely";
import type { AttemptAuthority } from "../../../ports/attempt-authority.ts";
import type { CredentialRepository } from "../../../ports/credential-repository.ts";
import type { EgressJournal } from "../../../ports/egress.ts";
import type { Logger } from "../../../ports/logger.ts";
import { type DatabaseOptions, openDatabase } from "../open-database.ts";
import { inStatement } from "../transaction.ts";
import { attemptAuthority } from "./attempt-authority.ts";
import { calledCredentials } from "./called-credentials.ts";
import { egressJournal } from "./egress-journal.ts";

/** All a gateway in a process of its own knows of its deployment. */
export interface GatewayStore extends AsyncDisposable {
  readonly authority: AttemptAuthority;
  readonly credentials: CredentialRepository;
  readonly egress: EgressJournal;
  readonly deploymentId: () => Promise<string>;
}

export interface GatewayStoreOptions {
  /** Of a role that may call the functions of migrations 0006 and 0007, and need not be able to do more. */
  readonly connectionString: string;
  readonly logger?: Logger;
}

/** A store that hangs must be known to be away long before tokens end for want of its word. */
const PATIENCE_MS = 5_000;

const TIMES = {
  statementTimeoutMs: PATIENCE_MS,
  connectTimeoutMs: PATIENCE_MS,
  silenceMs: PATIENCE_MS + 1_000,
} as const satisfies Partial<DatabaseOptions>;

/** The deployment's PostgreSQL by its gateway functions alone. Connects when it is first asked. */
export function postgresGatewayStore(options: GatewayStoreOptions): GatewayStore {
  const database = openDatabase({
    ...options,
    ...TIMES,
    maxConnections: 4,
    applicationName: "speckit gateway",
  });
  return {
    authority: attemptAuthority(database),
    credentials: calledCredentials(database),
    egress: egressJournal(database),
    deploymentId: () =>
      inStatement(async () => {
        const { rows } = await sql<{ id: string }>`
          SELECT spec_workflow_gateway_deployment() AS id`.execute(database);
        return rows[0]?.id ?? "";
      }),
    [Symbol.asyncDispose]: () => database.destroy(),
  };
}
