import type { Phase } from "../domain/phase.ts";
import { fencedError, SpeckitError } from "../domain/speckit-error.ts";
import type { PhaseContext } from "./phases/phase-work.ts";
import { orLost } from "./while-held.ts";

/**
 * Uses the attempt's one start ticket right before what must not happen twice. A refusal means that
 * the run has moved on, ended or is to be cancelled: the attempt ends as interrupted, and the next
 * look at the row tells which.
 *
 * @throws SpeckitError `WORKER_REPLACED`, `RUN_FENCED` when the lease can no longer be trusted, or the reason of the aborted signal
 */
export async function useStartTicket(context: PhaseContext, phase: Phase): Promise<void> {
  const { deps, run, lease, attempt, signal } = context;
  if (!(await orLost(lease, deps.runs.useStartTicket(lease.hold, phase, attempt)))) {
    signal.throwIfAborted();
    throw new SpeckitError(
      "WORKER_REPLACED",
      `Run ${run.runId}: the start ticket of ${phase} ${attempt} is used or no longer valid`,
    );
  }
  await deps.reach?.("ticket.used", { runId: run.runId, phase, attempt });
  // This process may have stood still since it asked, and the lease's own watch not have woken yet.
  if (lease.trustedForMs() <= 0) {
    throw fencedError(run.runId, lease.hold.epoch);
  }
}
