import type { Consumption, Transport, TransportHandlers } from "../ports/transport.ts";
import { acceptCommand } from "./accept-command.ts";
import { acceptRequest } from "./accept-request.ts";
import { advanceRun } from "./advance-run.ts";
import type { Dependencies } from "./dependencies.ts";
import { eventRelay } from "./event-relay.ts";
import { keepSuspicion } from "./keep-suspicion.ts";
import { startLeaseKeeper } from "./lease-keeper.ts";
import { reapJobs } from "./reap-jobs.ts";
import { removeClosedRuns } from "./remove-closed-runs.ts";
import { retainEvidence } from "./retain-evidence.ts";
import { sweep } from "./sweep.ts";
import { untilAvailable } from "./until-available.ts";
import { type FreeSpaceWatch, watchFreeSpace } from "./watch-free-space.ts";

/** Between two looks at what may be deleted, of closed runs and of old ones; the first is at the start. */
const TIDY_EVERY_MS = 600_000;

export interface WorkerOptions {
  /** Runs carried at the same time. */
  readonly slots: number;
  /** Shown with the worker's row. */
  readonly hostname: string;
  /** Carry and sweep this run alone: an embedded command leaves every other one to others. */
  readonly only?: string;
}

export interface RunningWorker extends AsyncDisposable {
  readonly workerId: number;
  /** Runs in hand now. */
  readonly inHand: () => number;
  /** Why it begins no new runs, for people; undefined: it does. */
  readonly waitingFor: () => string | undefined;
  /**
   * Takes nothing new, hands every run over at once, gives everything back. An agent in a container
   * goes on and is gone on with by the next owner; one of a process runtime ends with its worker: its
   * attempt is interrupted and spends no budget. Resolves when done.
   */
  readonly drain: () => Promise<void>;
}

/**
 * Carries runs until drained: consumes wake-ups and requests, renews leases, sweeps.
 *
 * @throws SpeckitError when the worker cannot be registered, its engine cannot be reached, or nothing can be consumed
 */
export async function runWorker(
  deps: Dependencies,
  options: WorkerOptions,
): Promise<RunningWorker> {
  const [workerId, deploymentId] = await Promise.all([
    deps.runs.registerWorker(options.hostname),
    deps.runs.deploymentId(),
  ]);
  const logger = deps.logger.with({ workerId });
  const relay = eventRelay({ ...deps, logger, deploymentId });
  const engineId = await deps.runtime.engine?.id();
  const session = await deps.runs.holdSession(workerId);
  const heardEngine = (): Promise<string | undefined> => engineThatAnswers(deps, engineId);
  const leases = startLeaseKeeper({ ...deps, logger, workerId, heardEngine });
  const stopping = new AbortController();
  const inHand = new Set<string>();
  const all = { ...deps, logger, relay, leases, workerId, deploymentId, engineId };
  let consumption: Consumption | undefined;
  // Whoever carries one run has asked for that one.
  const space =
    options.only === undefined
      ? watchFreeSpace(
          all,
          () => retainEvidence(all, stopping.signal),
          (takesNew) => consumption?.takeNew(takesNew),
        )
      : undefined;

  const handlers: TransportHandlers = {
    async onWakeUp(wakeUp, delivery) {
      const { runId } = wakeUp;
      if (stopping.signal.aborted) {
        return { do: "leave" };
      }
      if (options.only !== undefined && options.only !== runId) {
        return { do: "ack" };
      }
      if (inHand.has(runId)) {
        deps.metrics?.count("wake_ups", { became: "in_hand" });
        return { do: "ack" };
      }
      if (space?.shortOf() !== undefined && (await isNew(all, runId, stopping.signal))) {
        return { do: "publish_and_ack", wakeUp, route: { to: "start" } };
      }
      inHand.add(runId);
      try {
        return await advanceRun(all, wakeUp, delivery, stopping.signal);
      } finally {
        inHand.delete(runId);
      }
    },
    onHint: leases.renewNow,
    onPassedOn: (wakeUp, delivery) => keepSuspicion(all, wakeUp, delivery),
    onRequest: (delivery) =>
      delivery.kind === "command"
        ? acceptCommand(all, delivery, stopping.signal)
        : acceptRequest(all, delivery, stopping.signal),
  };
  await deps.runs.touchWorker(workerId, engineId);
  const taking = { slots: options.slots, engineId };
  await space?.look();
  consumption = await consume(deps.transport, handlers, taking, [leases, session]);
  if (space?.shortOf() !== undefined) {
    consumption.takeNew(false);
  }
  const { stop } = consumption;
  const sweeping = sweepUntil(all, options.only, space, stopping.signal);
  logger.info("worker ready", { slots: options.slots });

  let drained: Promise<void> | undefined;
  const drain = (): Promise<void> => {
    drained ??= (async () => {
      logger.info("draining", { inHand: inHand.size });
      stopping.abort();
      try {
        await stop();
        await sweeping;
        await relay.settle();
      } finally {
        // Whatever went wrong: a process that renews leases for ever does not end.
        await leases[Symbol.asyncDispose]();
        // Last: while it is held, nobody takes over what is being handed on.
        await session[Symbol.asyncDispose]();
      }
      logger.info("drained");
    })();
    return drained;
  };
  return {
    workerId,
    inHand: () => inHand.size,
    waitingFor: () => space?.shortOf(),
    drain,
    [Symbol.asyncDispose]: drain,
  };
}

/** Nobody has ever claimed it, as far as can be told. */
async function isNew(deps: Dependencies, runId: string, stopping: AbortSignal): Promise<boolean> {
  try {
    const run = await untilAvailable(deps, stopping, () => deps.runs.findRun(runId));
    return run?.status === "queued";
  } catch {
    return false;
  }
}

/** Consumes, or gives back what was started for it: a process must be able to end. */
async function consume(
  transport: Transport,
  handlers: TransportHandlers,
  taking: Parameters<Transport["consume"]>[1],
  started: readonly AsyncDisposable[],
): Promise<Consumption> {
  try {
    return await transport.consume(handlers, taking);
  } catch (error) {
    await Promise.all(started.map((one) => one[Symbol.asyncDispose]()));
    throw error;
  }
}

/** An engine that a worker can use and is asked to: while either is not so, others may find it lost. */
async function engineThatAnswers(
  { runtime, transport, logger }: Dependencies,
  engineId: string | undefined,
): Promise<string | undefined> {
  if (engineId === undefined || !transport.health().connected) {
    return undefined;
  }
  try {
    await runtime.engine?.ping();
    return engineId;
  } catch (error) {
    logger.warn("the engine does not answer", { engineId, error: String(error) });
    return undefined;
  }
}

async function sweepUntil(
  deps: Parameters<typeof sweep>[0] &
    Parameters<typeof removeClosedRuns>[0] &
    Parameters<typeof retainEvidence>[0] &
    Parameters<typeof reapJobs>[0],
  only: string | undefined,
  space: FreeSpaceWatch | undefined,
  stopped: AbortSignal,
): Promise<void> {
  const { clock, settings, logger } = deps;
  let tidiedAtMs = Number.NEGATIVE_INFINITY;
  while (!stopped.aborted) {
    try {
      await sweep(deps, only);
      await space?.look();
      if (clock.monotonicMs() - tidiedAtMs >= TIDY_EVERY_MS) {
        tidiedAtMs = clock.monotonicMs();
        await retainEvidence(deps, stopped).catch((error: unknown) => {
          logger.warn("old evidence stays until the next time", { error: String(error) });
        });
        if (only === undefined) {
          await removeClosedRuns(deps, stopped);
        }
      }
    } catch (error) {
      logger.warn("sweep failed, the next one tries again", { error: String(error) });
    }
    // By itself: runs are woken whatever the engine does.
    await reapJobs(deps).catch((error: unknown) => {
      logger.warn("containers not looked at, the next time tries again", { error: String(error) });
    });
    // Spread: many workers must not sweep in step.
    await clock.sleep(settings.sweepMs * (0.75 + 0.5 * clock.random()), stopped);
  }
}
