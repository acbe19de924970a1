import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "pg";
import type { DatabaseLayout } from "./database-layout.ts";
import { closeDoor, openDoor } from "./database-session.ts";

/**
 * Why the watch ended: nobody needs the server, it (or its folder) is gone, or this process shall
 * end.
 */
export type WatchEnd = "idle" | "lost" | "told";

export interface WatchOptions {
  readonly idleStopMs: number;
  readonly told: AbortSignal;
}

/**
 * Watches until no client but this session has been connected for `idleStopMs`. On `idle` the door
 * is closed: whoever comes now is turned away and knows it.
 */
export async function watchUntilIdle(
  session: Client,
  layout: DatabaseLayout,
  { idleStopMs, told }: WatchOptions,
): Promise<WatchEnd> {
  const everyMs = Math.min(3_000, Math.max(50, idleStopMs / 10));
  let idleSince = performance.now();
  let lastSessions = "";
  for (;;) {
    await pause(everyMs, undefined, { signal: told }).catch(() => {});
    if (told.aborted) return "told";
    if (!existsSync(join(layout.data, "postmaster.pid"))) return "lost";
    try {
      const { clients, sessions } = await countClients(session);
      if (clients > 0 || sessions !== lastSessions) {
        idleSince = performance.now();
        lastSessions = sessions;
      } else if (performance.now() - idleSince >= idleStopMs && (await tryCloseDoor(session))) {
        return "idle";
      }
    } catch {
      return "lost";
    }
  }
}

/** False when somebody came in after the last count: by the door, or past it as psql does. */
async function tryCloseDoor(session: Client): Promise<boolean> {
  const { rows } = await session.query<{ closed: boolean }>(`select ${closeDoor} as closed`);
  if (!rows[0]?.closed) return false;
  if ((await countClients(session)).clients === 0) return true;
  await session.query(`select ${openDoor}`);
  return false;
}

/**
 * `sessions` grows with every connection ever made: it tells of those that came and went in
 * between.
 */
async function countClients(session: Client): Promise<{ clients: number; sessions: string }> {
  const { rows } = await session.query<{ clients: number; sessions: string }>(
    `select (select count(*)::int from pg_stat_activity
              where backend_type = 'client backend' and pid <> pg_backend_pid()) as clients,
            (select coalesce(sum(sessions), 0)::text from pg_stat_database) as sessions`,
  );
  return rows[0] ?? { clients: 0, sessions: "" };
}
