import { type WakeUp, wakeUp } from "../contract/wake-up.ts";
import { RETRY_TIERS_MS } from "../domain/retry-policy.ts";
import { failureOf, isSpeckitError } from "../domain/speckit-error.ts";
import { tagOf } from "../ports/metrics.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { DeliveryVerdict, WakeUpDelivery } from "../ports/transport.ts";
import { type CarryDependencies, carryRun } from "./carry-run.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import { untilAvailable } from "./until-available.ts";

/**
 * Answers one wake-up: claims the run if it is due and unowned, and carries it as far as it goes
 * under this delivery. Says what the transport must do with the message and knows no transport.
 *
 * A run's own failure is no error here. What is thrown below is a fault of ours or of a service:
 * then the run is left as it is, the lease runs out, and the sweeper sends somebody to look.
 *
 * @param stopping aborts when this worker must let go of everything
 */
export async function advanceRun(
  deps: CarryDependencies & { readonly leases: LeaseKeeper; readonly workerId: number },
  { runId, suspectEpoch, sticky }: WakeUp,
  { isRedelivered, isExtra }: WakeUpDelivery,
  stopping: AbortSignal,
): Promise<DeliveryVerdict> {
  let logger = deps.logger.with({ runId });
  let lost: AbortSignal | undefined;
  try {
    const claimedAtMs = { value: 0 };
    const claim = await untilAvailable(deps, stopping, () => {
      claimedAtMs.value = deps.clock.monotonicMs();
      const { workerId, engineId } = deps;
      const { leaseMs } = deps.settings;
      const claimed = { runId, workerId, leaseMs, suspectEpoch, isRedelivered, engineId };
      return deps.runs.claimRun(claimed);
    });
    if (!claim.claimed && "engineId" in claim) {
      const became = sticky === true ? "engine_busy" : "sent_to_engine";
      deps.metrics?.count("wake_ups", { became });
      // Back from its engine, where nobody had time for it: that one is not lost. The sweeper looks.
      return sticky === true
        ? { do: "ack" }
        : {
            do: "publish_and_ack",
            wakeUp: { ...wakeUp(runId), sticky: true },
            route: { to: "engine", engineId: claim.engineId },
          };
    }
    if (!claim.claimed && "epoch" in claim) {
      logger.info("the run's owner may be dead, asking again", { epoch: claim.epoch });
      deps.metrics?.count("wake_ups", { became: "asked_again" });
      return {
        do: "publish_and_ack",
        wakeUp: { ...wakeUp(runId), suspectEpoch: claim.epoch },
        route: { to: "work", afterMs: RETRY_TIERS_MS[0] },
      };
    }
    if (!claim.claimed) {
      logger.debug("wake-up forgotten", { because: claim.because });
      deps.metrics?.count("wake_ups", { became: tagOf(claim.because) });
      return { do: "ack" };
    }
    const { repository, branch } = claim.run;
    logger = logger.with({ repository, branch });
    using lease = deps.leases.hold(
      { runId: claim.run.runId, epoch: claim.run.epoch },
      claimedAtMs.value,
    );
    await deps.reach?.("run.claimed", { runId });
    lost = lease.lost;
    deps.metrics?.count("wake_ups", { became: "claimed" });
    countWait(deps, claim.run);
    deps.metrics?.count("takeovers", {}, claim.leftAt === null ? 0 : 1);
    deps.relay.kick(runId);
    return await carryRun({ ...deps, logger }, claim, lease, stopping, { isExtra });
  } catch (error) {
    if (isSpeckitError(error) && error.code === "RUN_FENCED") {
      logger.warn("fenced: another worker owns the run now");
      deps.metrics?.count("fenced_writes", {}, lost?.aborted === true ? 0 : 1);
      return { do: "ack" };
    }
    if (stopping.aborted) {
      return { do: "leave" };
    }
    const { code, message } = failureOf(error);
    logger.error("run left to the sweeper", { code, error: message });
    return { do: "ack" };
  }
}

/** Of a run that is claimed for the first time. */
function countWait(
  { metrics }: CarryDependencies,
  { epoch, startedAt, createdAt }: RunRecord,
): void {
  if (epoch === 1 && startedAt !== null) {
    metrics?.timing("queue_wait_ms", startedAt.getTime() - createdAt.getTime(), {});
  }
}
