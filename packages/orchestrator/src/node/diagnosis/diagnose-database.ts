import { diagnosePostgres } from "../../adapters/postgres/index.ts";
import { DEFAULT_SETTINGS } from "../../application/settings.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Diagnosis, fine, notLookedAt } from "../../ports/diagnosis.ts";
import type { OrchestratorConfig } from "../config.ts";
import { connectionsOf } from "../connections-of.ts";
import { lookWithin } from "./look-within.ts";

/** What a terminal's own database is, and where, if it runs. */
export interface EmbeddedState {
  /** One line for people. */
  readonly found: string;
  readonly connectionString?: string;
}

export interface DatabaseLook {
  readonly found: readonly Diagnosis[];
  /** Undefined where no database tells. */
  readonly deploymentId: string | undefined;
}

/** The fleet's database, or the embedded one where none is configured. */
export async function diagnoseDatabase(
  config: OrchestratorConfig,
  {
    embedded,
    clock,
    isLeftOut,
  }: {
    readonly embedded: EmbeddedState | undefined;
    readonly clock: Pick<Clock, "now" | "monotonicMs">;
    readonly isLeftOut: boolean;
  },
): Promise<DatabaseLook> {
  const isEmbedded = config.databaseUrl === undefined;
  const connectionString = config.databaseUrl ?? embedded?.connectionString;
  const first =
    isEmbedded && !isLeftOut && embedded !== undefined
      ? [fine("database.embedded", embedded.found)]
      : [];
  if (connectionString === undefined || isLeftOut) {
    const why = isLeftOut ? "its configuration cannot be used" : "no database runs";
    return { found: [...first, notLookedAt("database.connection", why)], deploymentId: undefined };
  }
  let deploymentId: string | undefined;
  const found = await lookWithin("database.connection", async () => {
    const looked = await diagnosePostgres({
      connectionString,
      directConnectionString: config.databaseDirectUrl,
      sessionLock: config.sessionLock !== false,
      neededConnections: connectionsOf(config).all,
      heartbeatMs: config.settings?.heartbeatMs ?? DEFAULT_SETTINGS.heartbeatMs,
      isEmbedded,
      clock,
    });
    deploymentId = looked.deploymentId;
    return looked.found;
  });
  return { found: [...first, ...found], deploymentId };
}
