import type { Client } from "pg";
import type { DatabaseLayout } from "./database-layout.ts";
import { connectFailure, connectSession, enterDoor, guardianName } from "./database-session.ts";
import { connectionStringOf, findSocketFolder } from "./socket-folder.ts";

/** A session inside the door: while it lives, the guardian does not stop the server. */
export interface EnteredServer {
  readonly session: Client;
  /** Leaves the door. Never rejects. */
  leave(): Promise<void>;
  readonly connectionString: string;
  readonly version: string;
  readonly isGuarded: boolean;
}

/** Tries once; answers why not, in short, when there is no server or it is about to stop. */
export async function enterServer(layout: DatabaseLayout): Promise<EnteredServer | string> {
  const folder = findSocketFolder(layout);
  if (folder === undefined) return "no socket folder";
  const connectionString = connectionStringOf(folder);
  let session: Client | undefined;
  try {
    session = await connectSession(connectionString, "speckit");
    const { rows } = await session.query<{ inside: boolean; version: string; guarded: boolean }>(
      `select ${enterDoor} as inside, current_setting('server_version') as version,
              exists (select from pg_stat_activity where application_name = $1) as guarded`,
      [guardianName],
    );
    const facts = rows[0];
    if (facts?.inside) {
      const entered = session;
      // A caller that forgets to dispose can end all the same; one that awaits the end is kept
      // alive for it.
      unrefable(entered).unref();
      const leave = async () => {
        unrefable(entered).ref();
        await entered.end().catch(() => {});
      };
      const { version, guarded: isGuarded } = facts;
      return { session, leave, connectionString, version, isGuarded };
    }
    await session.end();
    return "it is stopping";
  } catch (error) {
    session?.end().catch(() => {});
    return connectFailure(error);
  }
}

/** `pg` has both methods, its types have not. */
function unrefable(session: Client): { ref(): void; unref(): void } {
  return session as unknown as { ref(): void; unref(): void };
}
