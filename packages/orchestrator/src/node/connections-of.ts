import type { OrchestratorConfig } from "./config.ts";

/** Connections to the database that a worker opens at most. */
export function connectionsOf({ slots = 2 }: OrchestratorConfig): {
  readonly pool: number;
  readonly all: number;
} {
  // A claim, a commit and a read per run in hand, and the sweeper's.
  const pool = slots + 3;
  // The heartbeat's, the session lock's, and that of statistics.
  return { pool, all: pool + 3 };
}
