import { type Diagnosis, fine, warning } from "../../../ports/diagnosis.ts";
import { isPooled } from "../worker/pooled-session.ts";
import { openSession } from "./open-session.ts";

/** Whether a worker could hold its session lock, found out as a worker does. No lock is taken. */
export async function lookAtSession(subject: {
  readonly connectionString: string;
  readonly directConnectionString: string | undefined;
  readonly sessionLock: boolean;
}): Promise<readonly Diagnosis[]> {
  if (!subject.sessionLock) {
    return [fine("database.session", "switched off: takeovers wait for leases")];
  }
  const client = await openSession(subject.directConnectionString ?? subject.connectionString);
  try {
    return [
      (await isPooled(client))
        ? warning("database.session", "a pooler is in between: a connection is no session there")
        : fine("database.session", "leads to the server itself"),
    ];
  } finally {
    await client.end().catch(() => undefined);
  }
}
