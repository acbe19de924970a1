import type { WakeUp } from "../contract/wake-up.ts";
import type { RunRepository } from "../ports/run-repository.ts";

/**
 * A wake-up as it is passed on by a worker without a free slot. A repeated delivery says that
 * whoever had it before may be dead; a new message does not, so it names the epoch that is suspected
 * instead. Without it a fleet that is busy would wait for the leases of its dead.
 */
export async function keepSuspicion(
  { runs }: { readonly runs: Pick<RunRepository, "findRun"> },
  wakeUp: WakeUp,
  { isRedelivered }: { readonly isRedelivered: boolean },
): Promise<WakeUp> {
  if (!isRedelivered || wakeUp.suspectEpoch !== undefined) {
    return wakeUp;
  }
  const run = await runs.findRun(wakeUp.runId);
  return run === undefined || run.leaseOwner === null
    ? wakeUp
    : { ...wakeUp, suspectEpoch: run.epoch };
}
