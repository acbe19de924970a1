import { hostname } from "node:os";
import type { AgentPhase, Dependencies, JobListener, PreparedJob } from "@speckit/orchestrator";
import { openOrchestrator, readEnvironment } from "@speckit/orchestrator/node";
import { toldRuns } from "../told-runs.ts";
import { type ContainerFacts, type Engine, engineOf } from "./engine.ts";
import { NOOP_COMMAND } from "./noop-project.ts";

/** When something happened, by the monotonic clock of this process, in milliseconds. */
type Moment = number;

/** The way of one agent phase to its first byte, and to its end. */
export interface PhaseMoments {
  readonly phase: AgentPhase;
  readonly opened: Moment;
  readonly preparing: Moment;
  readonly prepared: Moment;
  readonly starting: Moment;
  readonly firstByte: Moment;
  readonly exited: Moment;
}

export interface CarriedRun {
  readonly submitted: Moment;
  readonly claimed: Moment;
  readonly succeeded: Moment;
  readonly phases: readonly PhaseMoments[];
}

/** A worker of this process with the real database, git, artifacts, gateway and containers. */
export interface ContainerWorker extends AsyncDisposable {
  readonly deps: Dependencies;
  /** A run of three agent phases, to the end of its cleanup. */
  readonly carry: (remote: string) => Promise<CarriedRun>;
  readonly engine: Engine;
  /** What the first container was made with: it is gone by now. */
  readonly firstContainer: () => ContainerFacts;
}

/**
 * Opens a worker whose agents run in containers of the engine and do nothing. When it is disposed, its
 * gateway and everything else of its deployment are taken from the engine.
 */
export async function openContainerWorker(options: {
  readonly databaseUrl: string;
  readonly stateDir: string;
}): Promise<ContainerWorker> {
  await using undo = new AsyncDisposableStack();
  const { docker } = readEnvironment(process.env);
  const told = toldRuns();
  const watched = new Map<string, Record<string, Partial<PhaseMoments>>>();
  const claims = new Map<string, Moment>();
  const engine = engineOf(docker);
  let composed: Dependencies | undefined;
  let made: ContainerFacts | undefined;

  const note = (runId: string, phase: string, what: Partial<PhaseMoments>): void => {
    const phases = watched.get(runId) ?? {};
    watched.set(runId, { ...phases, [phase]: { ...what, ...phases[phase] } });
  };
  const compose = (deps: Dependencies): Dependencies => {
    composed = {
      ...deps,
      transport: {
        ...deps.transport,
        async publishEvent(event) {
          await deps.transport.publishEvent(event);
          told.hear(event);
        },
      },
      runs: {
        ...deps.runs,
        async claimRun(claim) {
          const result = await deps.runs.claimRun(claim);
          if (result.claimed && !claims.has(result.run.runId)) {
            claims.set(result.run.runId, performance.now());
          }
          return result;
        },
        async startAttempt(hold, phase) {
          const opened = performance.now();
          note(hold.runId, phase, { opened });
          return deps.runs.startAttempt(hold, phase);
        },
      },
      runtime: {
        ...deps.runtime,
        async prepare(spec, signal) {
          const moment = (what: Partial<PhaseMoments>) => note(spec.runId, spec.phase, what);
          moment({ preparing: performance.now() });
          const prepared = await deps.runtime.prepare(spec, signal);
          moment({ prepared: performance.now() });
          made ??= await engine.inspect(prepared.place?.containerId ?? "");
          return watching(prepared, moment);
        },
      },
    };
    return composed;
  };
  const { orchestrator } = undo.use(
    await openOrchestrator(
      {
        ...options,
        ...(docker === undefined ? {} : { docker }),
        runtime: "docker",
        agentCommand: [...NOOP_COMMAND],
        allowPaths: true,
        slots: 1,
        logLevel: "error",
      },
      { compose },
    ),
  );
  const deploymentId = await orchestrator.deploymentId();
  undo.defer(() => engine.removeAllOf(deploymentId));
  undo.use(await orchestrator.work({ slots: 1, hostname: hostname() }));
  if (composed === undefined) {
    throw new Error("nothing was composed");
  }
  const owned = undo.move();
  return {
    deps: composed,
    async carry(remote) {
      const submitted = performance.now();
      const { run } = await orchestrator.submit({
        schemaVersion: 1,
        repository: `file://${remote}`,
        specifyText: "Do nothing",
        agent: { backend: "command" },
      });
      await told.succeeded(run.runId);
      const succeeded = performance.now();
      await told.closed(run.runId);
      const phases = Object.entries(watched.get(run.runId) ?? {}).flatMap(([phase, moments]) =>
        moments.firstByte === undefined ? [] : [{ phase, ...moments } as PhaseMoments],
      );
      return { submitted, claimed: claims.get(run.runId) ?? Number.NaN, succeeded, phases };
    },
    engine,
    firstContainer() {
      if (made === undefined) {
        throw new Error("no container was made yet");
      }
      return made;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function watching(
  prepared: PreparedJob,
  moment: (what: Partial<PhaseMoments>) => void,
): PreparedJob {
  return {
    ...prepared,
    async start(listener, limits, signals) {
      moment({ starting: performance.now() });
      const heard: JobListener = {
        ...listener,
        onStdout(piece) {
          moment({ firstByte: performance.now() });
          return listener.onStdout(piece);
        },
      };
      const job = await prepared.start(heard, limits, signals);
      void job.exit.then(
        () => moment({ exited: performance.now() }),
        () => {},
      );
      return job;
    },
  };
}
