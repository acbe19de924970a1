import { existsSync } from "node:fs";
import { createDatabaseFolder } from "./database-layout.ts";
import type { EnteredServer } from "./enter-server.ts";
import type { GuardianOrders } from "./guardian-report.ts";
import { reachServer } from "./reach-server.ts";
import type { IdentityKind } from "./server-identity.ts";

export interface EmbeddedDatabaseOptions {
  /** Folder of this deployment's state (SPECKIT_HOME). Made when missing. One server per folder. */
  readonly stateDir: string;
  /**
   * How long nobody must have been connected before the server stops, in milliseconds; default
   * 30,000: long enough for the next command of somebody who types them. Counts for the call that
   * starts the server.
   */
  readonly idleStopMs?: number;
  /** Told in one line what takes time or went wrong meanwhile. Default: nobody. */
  readonly onNotice?: (text: string) => void;
}

export interface EmbeddedDatabase extends AsyncDisposable {
  /** For `pg` and libpq: the Unix socket, superuser `postgres`, no password. */
  readonly connectionString: string;
  /** The server's, such as `18.4`. */
  readonly version: string;
  readonly startedByThisCall: boolean;
}

const defaultIdleStopMs = 30_000;

/**
 * Opens the private PostgreSQL server of `stateDir`: creates its data on first use, starts it when
 * it does not run, shares it when it does. The server stays up while the result is not disposed, or
 * any other client is connected, and stops by itself later. It outlives this process and is not
 * stopped by its signals. When the server crashes meanwhile it is started again; sessions are lost,
 * so use a pool.
 *
 * Rejects with `EmbeddedDatabaseError`. An undisposed result does not keep the process from ending.
 */
export async function openEmbeddedDatabase(
  options: EmbeddedDatabaseOptions,
): Promise<EmbeddedDatabase> {
  return openEmbeddedDatabaseAs(options, undefined);
}

/** As above, with the ways to run the server given: for tests of each of them. */
export async function openEmbeddedDatabaseAs(
  { stateDir, idleStopMs = defaultIdleStopMs, onNotice = () => {} }: EmbeddedDatabaseOptions,
  identities: readonly IdentityKind[] | undefined,
): Promise<EmbeddedDatabase> {
  const layout = createDatabaseFolder(stateDir);
  const orders: GuardianOrders = { stateDir: layout.stateDir, idleStopMs, identities };
  const disposed = new AbortController();
  const options = { orders, onNotice, signal: disposed.signal };
  const { startedByThisCall, ...first } = await reachServer(layout, options);
  let entered: EnteredServer = first;

  const enterAgainWhenLost = () => {
    entered.session.once("end", async () => {
      // The server crashed, or somebody stopped it. A folder that was removed is not made again.
      if (disposed.signal.aborted || !existsSync(layout.data)) return;
      try {
        entered = await reachServer(layout, options);
        if (disposed.signal.aborted) await entered.leave();
        else enterAgainWhenLost();
      } catch (error) {
        if (disposed.signal.aborted) return;
        onNotice(`The embedded database is lost: ${(error as Error).message}`);
      }
    });
  };
  enterAgainWhenLost();

  return {
    connectionString: first.connectionString,
    version: first.version,
    startedByThisCall,
    async [Symbol.asyncDispose]() {
      disposed.abort();
      await entered.leave();
    },
  };
}
