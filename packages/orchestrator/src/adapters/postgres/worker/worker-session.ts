import { setTimeout as pause } from "node:timers/promises";
import { sql, type Transaction } from "kysely";
import pg from "pg";
import type { Logger } from "../../../ports/logger.ts";
import type { Database } from "../schema.ts";
import { isPooled } from "./pooled-session.ts";

/**
 * How others learn at once that a worker is dead. Each worker holds one advisory lock, named after
 * its id, in a session of a connection of its own; the kernel closes that connection with the
 * process, and PostgreSQL frees the lock. Whoever is handed a dead worker's delivery by the broker
 * tries the lock: free means gone, and its runs may be taken over without waiting for their leases.
 *
 * It never decides correctness. A wrong "gone" (the connection alone was cut) costs the owner its
 * work, and the epoch fences it; a wrong "alive" (a frozen process, a host that vanished with its
 * sockets half open) costs the wait for the lease. The lock means nothing
 *
 * - after a restart of the server, which frees all of them: the row has the start time of the server
 *   the lock was taken on, and another one means that nothing is known;
 * - behind a pooler that hands out sessions per transaction: then it is not taken, and the row says
 *   so.
 *
 * It can be switched off: then the row never says that it is held, and everybody waits for the
 * lease of this worker.
 */
const LOCK_CLASS = 7_311_001;

/** Keys are 32 bits wide; ids that far apart do not live at the same time. */
function keyOf(workerId: number): number {
  return workerId % 2 ** 31;
}

/**
 * Whether a worker's session is gone. Tries the lock shared and only for this transaction: two
 * probes at once must not take each other for the owner.
 */
export async function isSessionGone(
  trx: Transaction<Database>,
  workerId: number,
): Promise<boolean> {
  const { rows } = await sql<{ gone: boolean }>`
    SELECT CASE WHEN pg_started_at = pg_postmaster_start_time()
      THEN pg_try_advisory_xact_lock_shared(${LOCK_CLASS}::int, ${keyOf(workerId)}::int)
      ELSE false END AS gone
    FROM spec_workflow_workers WHERE id = ${workerId}
  `.execute(trx);
  return rows[0]?.gone ?? false;
}

const RECONNECT_MS = 1_000;

/**
 * How soon the server gives up a client whose host has vanished: after 10 s of silence it asks, three
 * times 5 s apart; what it has sent itself may stay unanswered as long. By the system's defaults, a
 * lost host would hold its lock for two hours. On a Unix socket these mean nothing and stay 0.
 */
const SERVER_SIDE_LIMITS = {
  tcp_keepalives_idle: "10",
  tcp_keepalives_interval: "5",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "25000",
} as const;

export interface WorkerSessionOptions {
  /** Straight to the server, past any pooler. */
  readonly connectionString: string;
  readonly workerId: number;
  readonly logger?: Logger | undefined;
}

/** Holds the worker's session lock until disposed; takes it again whenever its connection breaks. */
export async function holdWorkerSession(options: WorkerSessionOptions): Promise<AsyncDisposable> {
  const stopping = new AbortController();
  const first = Promise.withResolvers<void>();
  const holding = hold(options, stopping.signal, first.resolve);
  await first.promise;
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await holding;
    },
  };
}

async function hold(
  options: WorkerSessionOptions,
  stopping: AbortSignal,
  onTried: () => void,
): Promise<void> {
  while (!stopping.aborted) {
    try {
      await holdOnce(options, stopping, onTried);
    } catch (error) {
      options.logger?.warn("worker session lost, takeovers wait for leases", {
        workerId: options.workerId,
        error: String(error),
      });
    }
    onTried();
    await pause(RECONNECT_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** One connection, from its opening to its end. */
async function holdOnce(
  { connectionString, workerId, logger }: WorkerSessionOptions,
  stopping: AbortSignal,
  onTried: () => void,
): Promise<void> {
  const client = new pg.Client({
    connectionString,
    application_name: `speckit worker ${workerId}`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const ended = Promise.withResolvers<void>();
  client.on("error", () => ended.resolve());
  client.on("end", () => ended.resolve());
  const stop = (): void => ended.resolve();
  stopping.addEventListener("abort", stop, { once: true });
  try {
    await client.connect();
    if (await isPooled(client)) {
      logger?.warn(
        "sessions are pooled: set DATABASE_DIRECT_URL, until then takeovers wait for leases",
      );
      await client.query("UPDATE spec_workflow_workers SET pg_started_at = NULL WHERE id = $1", [
        workerId,
      ]);
    } else {
      logger?.debug("worker session opened", await limitLostHost(client));
      // Our own last session may not be gone yet for the server; then the next try gets it.
      await client.query("SET lock_timeout = '5s'");
      await client.query("SELECT pg_advisory_lock($1::int, $2::int)", [
        LOCK_CLASS,
        keyOf(workerId),
      ]);
      await client.query(
        "UPDATE spec_workflow_workers SET pg_started_at = pg_postmaster_start_time() WHERE id = $1",
        [workerId],
      );
    }
    onTried();
    await ended.promise;
  } finally {
    stopping.removeEventListener("abort", stop);
    await client.end().catch(() => undefined);
  }
}

/** @returns the limits as they hold now: where the system does not have one, it is 0 */
async function limitLostHost(client: pg.Client): Promise<Readonly<Record<string, string>>> {
  const names = Object.keys(SERVER_SIDE_LIMITS);
  await client.query(
    "SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS l(name, value)",
    [names, Object.values(SERVER_SIDE_LIMITS)],
  );
  const { rows } = await client.query<{ name: string; setting: string }>(
    "SELECT name, setting FROM pg_settings WHERE name = ANY($1)",
    [names],
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}
