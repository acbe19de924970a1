import { Client } from "pg";

/** Names the guardian's own session in `pg_stat_activity`. */
export const guardianName = "speckit guardian";

/**
 * The door: an advisory lock in the server itself. A command holds it shared for as long as it
 * needs the server; the guardian takes it exclusively before it stops the server. So a command
 * either holds the server up or learns at once that it is too late and starts it again. Cut
 * anywhere, the lock goes with the session.
 */
export const enterDoor = "pg_try_advisory_lock_shared(1936745827, 1)";
export const closeDoor = "pg_try_advisory_lock(1936745827, 1)";
export const openDoor = "pg_advisory_unlock(1936745827, 1)";

/**
 * A connected client. Rejects with the driver's error; a session lost later emits `end`, never
 * throws.
 */
export async function connectSession(connectionString: string, name: string): Promise<Client> {
  const client = new Client({
    connectionString,
    application_name: name,
    connectionTimeoutMillis: 5_000,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
}

/**
 * What a failed attempt to connect says in short: `ENOENT`, `57P03`, or the message where no code
 * exists.
 */
export function connectFailure(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? String(error);
}
