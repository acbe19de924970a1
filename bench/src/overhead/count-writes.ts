import { statement } from "../bench-database.ts";

/** What a database server has written between two looks. */
export interface Writes {
  /** Transactions that changed something: each is one commit safely on disk. */
  readonly commits: number;
  readonly walBytes: number;
}

/** Counts what the whole server writes while something is done; nothing else may use it meanwhile. */
export async function countWrites(serverUrl: string, work: () => Promise<void>): Promise<Writes> {
  const before = await look(serverUrl);
  await work();
  const after = await look(serverUrl);
  return { commits: after.xid - before.xid, walBytes: after.wal - before.wal };
}

async function look(serverUrl: string): Promise<{ readonly xid: number; readonly wal: number }> {
  const [row] = await statement<{ xid: string; wal: string }>(
    serverUrl,
    `SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid,
      pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS wal`,
  );
  return { xid: Number(row?.xid), wal: Number(row?.wal) };
}
