import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AgentBackend,
  DEFAULT_SETTINGS,
  type Dependencies,
  failureOf,
  Orchestrator,
  type RunningWorker,
  SpeckitError,
} from "../../src/index.ts";
import type { JobName, JobSpec } from "../../src/ports/job-runtime.ts";
import {
  type BrokerConnection,
  type MemoryEngine,
  memoryArtifactStore,
  memoryBroker,
  memoryDatabase,
  memoryEngine,
  memoryMachine,
  memoryRemote,
  memoryRunRepository,
  memoryRunStatistics,
  memoryRunSurroundings,
  openMemoryTransport,
  type Program,
  realTimers,
} from "../../src/testing/memory/index.ts";

export const GIT_REMOTE = "https://github.com/owner/service.git";
const SETTINGS = {
  ...DEFAULT_SETTINGS,
  leaseMs: 900,
  heartbeatMs: 200,
  sweepMs: 100,
  fenceMs: 600,
};

/** How an attempt's agent goes: `workMs` until it has written its documents. Default 30 ms. */
export type Pace = (name: JobName) => number;

/** A worker, and what can happen to it. */
export interface WorldWorker {
  readonly worker: RunningWorker;
  readonly logs: string[];
  /** Nothing it does reaches the database any more, nor the broker; its own code does not know. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

/** Services, engines and workers in memory, in real time with short leases. */
export interface World extends AsyncDisposable {
  readonly engine: (id: string) => MemoryEngine;
  readonly worker: (engine: MemoryEngine, reach?: Dependencies["reach"]) => Promise<WorldWorker>;
  readonly submit: () => Promise<string>;
  readonly orchestrator: Orchestrator;
  /** Every start of an agent, in order. */
  readonly starts: readonly (JobName & { readonly engineId: string })[];
  /** Attempts of one run whose agents were at work at one moment, most of all. */
  readonly mostAtOnce: () => number;
  /** Lets the database's clock jump. */
  readonly passTime: (ms: number) => void;
}

export async function openWorld(pace: Pace = () => 30): Promise<World> {
  const undo = new AsyncDisposableStack();
  let passedMs = 0;
  const database = memoryDatabase({
    clock: { nowMs: () => Date.now() + passedMs },
    deploymentId: randomUUID(),
  });
  const broker = memoryBroker(realTimers);
  const remotes = new Map([[GIT_REMOTE, memoryRemote(BASE_FILES)]]);
  const starts: (JobName & { readonly engineId: string })[] = [];
  const engines: MemoryEngine[] = [];
  let most = 0;
  const runs = memoryRunRepository(database);

  const engine = (id: string): MemoryEngine => {
    const made = memoryEngine({
      id,
      timers: { ...realTimers, nowMs: () => realTimers.nowMs() + passedMs },
      termGraceMs: 50,
      find: (spec, volume) => programOf(spec, volume, pace(spec)),
      useTicket: async (name) => {
        const rows = database.rowsOf(name.runId);
        const row = rows?.attempts.find(
          ({ phase, attempt }) => phase === name.phase && attempt === name.attempt,
        );
        const mayStart =
          row?.state === "running" &&
          row.ticketUsedAt === null &&
          rows?.run.outcome === null &&
          rows.run.cancelRequestedAt === null;
        if (mayStart) {
          database.change(name.runId, (draft) => {
            draft.attempts = draft.attempts.map((one) =>
              one === row ? { ...one, ticketUsedAt: database.now() } : one,
            );
          });
        }
        return mayStart;
      },
      isLive: ({ runId, phase, attempt }) => {
        const rows = database.rowsOf(runId);
        return (
          rows?.run.outcome === null &&
          rows.attempts.some(
            (row) => row.phase === phase && row.attempt === attempt && row.state === "running",
          )
        );
      },
      onStart: ({ runId, phase, attempt }) => {
        starts.push({ runId, phase, attempt, engineId: id });
        const working = engines.flatMap((one) => one.running());
        most = Math.max(most, working.filter((job) => job.runId === runId).length);
      },
    });
    engines.push(made);
    return made;
  };

  const compose = (on: MemoryEngine | undefined, reach: Dependencies["reach"]) => {
    const logs: string[] = [];
    let isFrozen = false;
    let connection: BrokerConnection | undefined;
    const machine = memoryMachine(remotes);
    const write = (message: string, fields?: object): void =>
      void logs.push(`${message} ${JSON.stringify(fields ?? {})}`);
    const logger: Dependencies["logger"] = {
      debug: write,
      info: write,
      warn: write,
      error: write,
      with: () => logger,
    };
    const clock: Dependencies["clock"] = {
      now: () => new Date(),
      monotonicMs: () => performance.now(),
      random: Math.random,
      sleep: async (ms, signal) => {
        await sleep(ms, undefined, {
          ref: false,
          ...(signal === undefined ? {} : { signal }),
        }).catch(() => {});
      },
    };
    const transport = undo.use(
      openMemoryTransport({
        connect: async (listener) => {
          if (isFrozen) {
            throw new Error("frozen");
          }
          connection = broker.connect(listener);
          return connection;
        },
        clock,
      }),
    );
    const guarded = new Proxy(runs, {
      get(target, name: keyof typeof runs) {
        const method = target[name] as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          if (isFrozen) {
            throw new SpeckitError("DATABASE_UNAVAILABLE", "cut off");
          }
          return method(...args);
        };
      },
    });
    const deps: Dependencies = {
      runs: guarded,
      statistics: memoryRunStatistics(database),
      surroundings: memoryRunSurroundings(database),
      transport,
      git: machine.git,
      runtime: (on ?? engine("nowhere")).runtime(machine.workspaces),
      artifacts: memoryArtifactStore(),
      backends: new Map([[backend.name, backend]]),
      defaultBackend: backend.name,
      isAllowed: () => true,
      clock,
      identity: { newRunId: randomUUID, sha256: (text) => text },
      logger,
      settings: SETTINGS,
      reach,
    };
    return {
      deps,
      logs,
      setFrozen: (value: boolean): void => {
        isFrozen = value;
        if (value && connection !== undefined) {
          broker.drop(connection);
        }
      },
    };
  };

  const orchestrator = new Orchestrator(compose(undefined, undefined).deps);
  return {
    engine,
    async worker(on, reach) {
      const { deps, logs, setFrozen } = compose(on, reach);
      const worker = await new Orchestrator(deps).work({ slots: 2, hostname: on.id });
      undo.defer(async () => {
        setFrozen(false);
        await worker.drain();
      });
      return {
        worker,
        logs,
        freeze: () => setFrozen(true),
        thaw: () => setFrozen(false),
      };
    },
    async submit() {
      const runId = randomUUID();
      await orchestrator.submit({
        schemaVersion: 1,
        runId,
        repository: "owner/service",
        specifyText: "Sign in",
      });
      return runId;
    },
    orchestrator,
    starts,
    mostAtOnce: () => most,
    passTime: (ms) => {
      passedMs += ms;
    },
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

function programOf(spec: JobSpec, volume: Map<string, string>, workMs: number): Program {
  const directory = spec.env.SPECIFY_FEATURE_DIRECTORY ?? "";
  return {
    steps: [
      { afterMs: 1, stdout: `begun ${spec.phase} ${spec.attempt}\n` },
      {
        afterMs: workMs,
        stdout: "done\n",
        act: () => {
          for (const [path, text] of Object.entries(documentsOf(spec.phase, directory))) {
            volume.set(path, text);
          }
        },
      },
    ],
    ends: 0,
  };
}

const backend: AgentBackend = {
  name: "memory",
  description: "programs that are data",
  command: (prompt) => ({
    argv: ["agent"],
    env: { SPECIFY_FEATURE_DIRECTORY: prompt.featureDirectory },
    stdin: prompt.phase,
    files: [],
  }),
  reader: () => ({
    read: (line) => [{ type: "message", text: line }],
    classify: ({ exitCode }) =>
      exitCode === 0
        ? undefined
        : failureOf(new SpeckitError("AGENT_FAILED", `The agent ended with ${exitCode}`)),
  }),
};

function documentsOf(phase: string, directory: string): Readonly<Record<string, string>> {
  switch (phase) {
    case "specify":
      return {
        ".specify/feature.json": JSON.stringify({ feature_directory: directory }),
        [`${directory}/checklists/requirements.md`]: "- [x] ready\n",
        [`${directory}/spec.md`]:
          "# Feature Specification: Sign in\n## User Scenarios & Testing\n### User Story 1 - Sign in (Priority: P1)\n## Requirements\n- FR-001\n## Success Criteria\n- SC-001\n",
      };
    case "plan":
      return {
        [`${directory}/plan.md`]:
          "# Implementation Plan: Sign in\n## Summary\n## Technical Context\n## Constitution Check\n## Project Structure\n",
        [`${directory}/research.md`]: "Decision: one. Rationale: small. Alternatives: none.\n",
        [`${directory}/quickstart.md`]: "Start it.\n",
      };
    default:
      return { [`${directory}/tasks.md`]: "# Tasks\n## Phase 1: Setup\n- [ ] T001 [US1] Do it\n" };
  }
}

const BASE_FILES: Readonly<Record<string, string>> = {
  "README.md": "# Service\n",
  ".specify/memory/constitution.md": "# Constitution\n",
  ...Object.fromEntries(
    ["specify", "plan", "tasks"].map((phase) => [
      `.agents/skills/speckit-${phase}/SKILL.md`,
      `# ${phase}\n`,
    ]),
  ),
};
