import { hostname } from "node:os";
import type { Orchestrator, RunningWorker } from "@speckit/orchestrator";
import {
  loggerFor,
  type OpenOptions,
  type OrchestratorConfig,
  openOrchestrator,
} from "@speckit/orchestrator/node";
import { type HealthServer, startHealthServer } from "./health-server.ts";
import { readApi } from "./http/read-api.ts";
import { untilServicesAnswer } from "./until-services-answer.ts";

export interface WorkerHandle extends AsyncDisposable {
  readonly worker: RunningWorker;
  /** undefined when no health port is configured. */
  readonly health: HealthServer | undefined;
  /** Hands every run over and closes everything. */
  readonly drain: () => Promise<void>;
}

/**
 * Starts a worker. Starts in any order with its services: it waits for them, and says for which.
 *
 * @param signal ends the waiting
 * @throws SpeckitError `CONFIGURATION_INVALID` or `SERVICE_REFUSED`: waiting would not help
 */
export async function startWorker(
  config: OrchestratorConfig,
  signal: AbortSignal,
  options: Pick<OpenOptions, "reach"> = {},
): Promise<WorkerHandle> {
  const logger = loggerFor(config);
  const undo = new AsyncDisposableStack();
  try {
    const state: {
      waitingFor: string | undefined;
      orchestrator?: Orchestrator | undefined;
      worker?: RunningWorker;
    } = { waitingFor: "PostgreSQL" };
    const onConnecting = (service: string): void => {
      state.waitingFor = service;
    };
    let connected = (): boolean => false;
    const health =
      config.healthPort === undefined
        ? undefined
        : undo.use(
            await startHealthServer({
              port: config.healthPort,
              host: config.healthHost ?? "127.0.0.1",
              report: () => ({
                waitingFor: state.waitingFor ?? (connected() ? undefined : "RabbitMQ"),
                inHand: state.worker?.inHand() ?? 0,
              }),
              readRuns: readApi({
                token: config.httpToken,
                orchestrator: () => state.orchestrator,
                onError: (error, path) => {
                  logger.warn("request not answered", { path, error: String(error) });
                },
              }),
            }),
          );
    const opened = undo.use(
      await untilServicesAnswer(
        () => openOrchestrator(config, { ...options, logger, onConnecting }),
        logger,
        signal,
      ),
    );
    const { orchestrator } = opened;
    state.orchestrator = orchestrator;
    const runtime = await orchestrator.runtime();
    logger.info("starting", {
      runtime: runtime.name,
      isolation: runtime.isolation,
      transport: orchestrator.transport().description,
      agents: orchestrator.agents().map((agent) => agent.name),
      stateDir: config.stateDir,
    });
    const worker = undo.use(
      await untilServicesAnswer(
        () => orchestrator.work({ slots: config.slots ?? 2, hostname: hostname() }),
        logger,
        signal,
      ),
    );
    state.worker = worker;
    state.waitingFor = undefined;
    connected = () => orchestrator.transport().connected;
    const running = undo.move();
    const drain = (): Promise<void> => {
      state.waitingFor = "its own end: it is draining";
      state.orchestrator = undefined;
      return running.disposeAsync();
    };
    return { worker, health, drain, [Symbol.asyncDispose]: drain };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}
