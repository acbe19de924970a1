import type { Dependencies } from "./dependencies.ts";
import type { HeldLease } from "./lease-keeper.ts";
import { untilAvailable } from "./until-available.ts";

/**
 * Waits for an answer of the database, for as long as the lease can be trusted: one that never comes,
 * over a connection that is dead and does not know it, would keep a worker's slot and its end
 * waiting for a quarter of an hour. Should the statement be carried out after all, it is guarded by the epoch.
 *
 * @throws SpeckitError `RUN_FENCED` when the lease is lost meanwhile
 */
export async function orLost<T>(lease: Pick<HeldLease, "lost">, answer: Promise<T>): Promise<T> {
  const lost = Promise.withResolvers<never>();
  const lose = (): void => lost.reject(lease.lost.reason);
  lease.lost.addEventListener("abort", lose, { once: true });
  if (lease.lost.aborted) {
    lose();
  }
  try {
    return await Promise.race([answer, lost.promise]);
  } finally {
    lease.lost.removeEventListener("abort", lose);
  }
}

/**
 * Does something that may be done again, through a database that goes away and comes back, for as
 * long as the lease can be trusted.
 *
 * @param work each time after the first, the answer of the one before was lost: it may have happened
 * @throws SpeckitError `RUN_FENCED` when the lease is lost meanwhile
 */
export async function whileHeld<T>(
  deps: Pick<Dependencies, "clock" | "logger">,
  lease: Pick<HeldLease, "lost">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await orLost(lease, untilAvailable(deps, lease.lost, work));
  } catch (error) {
    lease.lost.throwIfAborted();
    throw error;
  }
}
