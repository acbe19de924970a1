import { SpeckitError } from "../../domain/speckit-error.ts";
import type {
  Job,
  JobLimits,
  JobListener,
  JobName,
  JobRuntime,
  JobSignals,
  JobSpec,
  PlacedJob,
} from "../../ports/job-runtime.ts";
import type { Workspaces } from "./git/memory-git-workspace.ts";
import { type MemoryContainer, memoryContainer } from "./memory-container.ts";
import type { Program } from "./memory-job-runtime.ts";
import { superviseContainer } from "./supervise-container.ts";
import type { Timers } from "./timers.ts";

export interface MemoryEngineOptions {
  readonly id: string;
  readonly timers: Timers;
  /**
   * The program behind `spec.argv`, undefined when there is none of that name.
   *
   * @param volume the job's own workspace: files by path
   */
  readonly find: (spec: JobSpec, volume: Map<string, string>) => Program | undefined;
  /** Takes the start ticket of an attempt, as its entry program does. Default: whoever asks may start. */
  readonly useTicket?: (name: JobName) => Promise<boolean>;
  /** Whether an attempt is still live, asked every `livenessMs` (default 100) as its entry program does. Default: it is. */
  readonly isLive?: (name: JobName) => boolean;
  readonly livenessMs?: number;
  /** A program has begun: counted from outside. */
  readonly onStart?: (spec: JobSpec) => void;
  /** Between SIGTERM and SIGKILL. Default 2 s. */
  readonly termGraceMs?: number;
}

/** An engine whose containers are data: they go on whatever becomes of the workers that started them. */
export interface MemoryEngine {
  readonly id: string;
  /**
   * For each worker of the engine.
   *
   * @param workspaces the files of the worker's machine: brought into a job's volume, and back at its end
   */
  readonly runtime: (workspaces?: Workspaces) => JobRuntime;
  /** Names of the attempts whose programs run now. */
  readonly running: () => readonly JobName[];
  /** Nothing reaches it until it is joined again; what runs goes on. */
  readonly cutOff: () => void;
  readonly join: () => void;
  /** Its daemon restarts: whatever ran is stopped, and stays. */
  readonly restart: () => void;
}

export function memoryEngine(options: MemoryEngineOptions): MemoryEngine {
  const { id, timers, termGraceMs = 2_000 } = options;
  const containers = new Map<string, MemoryContainer>();
  let made = 0;
  let isCutOff = false;

  function reach(): void {
    if (isCutOff) {
      throw new SpeckitError("ENGINE_UNAVAILABLE", `Engine ${id} does not answer`);
    }
  }
  const byId = (containerId: string): MemoryContainer | undefined =>
    [...containers.values()].find((container) => container.containerId === containerId);

  const runtime = (workspaces: Workspaces = new Map()): JobRuntime => {
    const supervise = (
      container: MemoryContainer,
      ...supervision: [JobListener, JobLimits, JobSignals]
    ): Job => {
      const job = superviseContainer({ timers, termGraceMs }, container, ...supervision);
      const exit = job.exit.then((how) => {
        if (how.isLeft !== true) {
          workspaces.set(container.spec.workspace, new Map(container.volume));
        }
        return how;
      });
      exit.catch(() => {});
      return { ...job, exit };
    };
    return {
      report: async () => ({ name: "memory", isolation: "containers in memory", contained: true }),
      foldersInJob: (folders) => folders,
      async prepare(spec, signal) {
        reach();
        signal.throwIfAborted();
        const key = keyOf(spec);
        const volume = new Map(workspaces.get(spec.workspace));
        const container =
          containers.get(key) ?? memoryContainer(options, spec, volume, `c${++made}`);
        containers.set(key, container);
        const { containerId } = container;
        return {
          place: { engineId: id, containerId, tokenKey: "key" },
          async start(listener, limits, signals) {
            reach();
            return supervise(container, listener, limits, signals);
          },
        };
      },
      engine: {
        id: async () => id,
        ping: async () => reach(),
        async attach(containerId, _spec, ...supervision) {
          reach();
          const container = byId(containerId);
          return container === undefined ? undefined : supervise(container, ...supervision);
        },
        async list(runId) {
          reach();
          return [...containers.values()]
            .filter(({ spec }) => runId === undefined || spec.runId === runId)
            .map((container) => placedJob(container, timers));
        },
        async remove(name) {
          reach();
          containers.get(keyOf(name))?.remove();
          containers.delete(keyOf(name));
        },
      },
    };
  };

  return {
    id,
    runtime,
    running: () =>
      [...containers.values()]
        .filter(({ state }) => state() === "running")
        .map(({ spec: { runId, phase, attempt } }) => ({ runId, phase, attempt })),
    cutOff: () => {
      isCutOff = true;
    },
    join: () => {
      isCutOff = false;
    },
    restart() {
      for (const container of containers.values()) {
        container.stopWithEngine();
      }
    },
  };
}

function placedJob(container: MemoryContainer, timers: Timers): PlacedJob {
  const { spec, containerId, createdMs } = container;
  const { runId, phase, attempt } = spec;
  const state = container.state();
  return {
    runId,
    phase,
    attempt,
    containerId,
    isRunning: state === "running",
    wasStarted: state !== "created",
    ageMs: timers.nowMs() - createdMs,
  };
}

function keyOf({ runId, phase, attempt }: JobName): string {
  return `${runId} ${phase} ${attempt}`;
}
