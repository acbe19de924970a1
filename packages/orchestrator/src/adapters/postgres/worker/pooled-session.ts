import type pg from "pg";

/**
 * Whether there is a pooler in between: two transactions were served by two sessions, or by another
 * one than the greeting named. A pooler that has nothing else to do gives the same session twice,
 * but greets with a process id of its own making.
 */
export async function isPooled(client: pg.Client): Promise<boolean> {
  for (let look = 0; look < 2; look += 1) {
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    if (rows[0]?.pid !== greetedBy(client)) {
      return true;
    }
  }
  return false;
}

/** Its types do not tell, but a client keeps the process id of the server's greeting, to cancel with. */
function greetedBy(client: pg.Client): number | null {
  return (client as unknown as { processID: number | null }).processID;
}
