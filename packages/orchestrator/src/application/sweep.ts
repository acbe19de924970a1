import { wakeUp } from "../contract/wake-up.ts";
import type { Dependencies } from "./dependencies.ts";
import type { EventRelay } from "./event-relay.ts";

const BATCH = 100;

/** What one sweep did. */
export interface SweepReport {
  readonly woken: number;
  readonly relayed: number;
}

/**
 * Whether the start queue still explains every run that was never claimed: then they are only
 * waiting for a free worker, and more wake-ups would drown the broker in a backlog. Any other run is
 * woken whatever the broker holds: a worker cut off from the database may hold its message for ever.
 */
async function isBacklogWhole(deps: Pick<Dependencies, "runs" | "transport">): Promise<boolean> {
  const [waiting, runs] = await Promise.all([
    deps.transport.startBacklog(),
    deps.runs.countNeverClaimed(),
  ]);
  return waiting >= runs;
}

/**
 * One look at every run whose time has come: a wake-up for each, and the events a dead owner left.
 * Row by row: what fails for one is told and left to the next sweep.
 *
 * @param only look at this run alone: an embedded command carries no run but its own
 */
export async function sweep(
  deps: Pick<Dependencies, "runs" | "transport" | "logger" | "metrics" | "settings" | "reach"> & {
    readonly relay: EventRelay;
  },
  only?: string,
): Promise<SweepReport> {
  const { leaseMs } = deps.settings;
  const due = await deps.runs.sweepRuns({
    limit: BATCH,
    leaseMs,
    ...(only === undefined ? {} : { only }),
  });
  if (due.length > 0) {
    await deps.reach?.("sweep.picked", {});
  }
  const silent = due.some((row) => !row.everClaimed) && (await isBacklogWhole(deps));
  // At once: with a broker that is away, each of a hundred would wait for its own confirm in turn.
  const published = await Promise.all(
    due
      .filter((row) => !silent || row.everClaimed)
      .map(async ({ runId, everClaimed }) => {
        try {
          await deps.transport.publishWakeUp(wakeUp(runId), { to: everClaimed ? "work" : "start" });
          return true;
        } catch (error) {
          deps.logger.warn("wake-up not published, the sweeper looks again later", {
            runId,
            error: String(error),
          });
          return false;
        }
      }),
  );
  const woken = published.filter(Boolean).length;
  deps.metrics?.count("sweeps", {});
  deps.metrics?.count("runs_swept", { became: "woken" }, woken);
  deps.metrics?.count("runs_swept", { became: "left" }, due.length - woken);
  const unsent = only === undefined ? await deps.runs.runsWithUnsentEvents(BATCH) : [];
  for (const runId of unsent) {
    deps.relay.kick(runId);
  }
  if (due.length > 0) {
    deps.logger.info("swept", { due: due.length, woken, relayed: unsent.length });
  }
  return { woken, relayed: unsent.length };
}
