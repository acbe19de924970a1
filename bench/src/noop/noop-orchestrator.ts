import type { Dependencies, Settings } from "@speckit/orchestrator";
import { type OpenOrchestrator, openOrchestrator } from "@speckit/orchestrator/node";
import { noopBackend, noopRuntime } from "./noop-agent.ts";
import { noopArtifacts } from "./noop-artifacts.ts";
import { noopGit } from "./noop-git.ts";
import { stretchedRuns } from "./stretched-runs.ts";

/** What is measured, as data: it is handed to worker programs too. */
export interface NoopOptions {
  readonly databaseUrl: string;
  /** Left out: in process. */
  readonly amqpUrl?: string;
  readonly amqpPrefix?: string;
  readonly stateDir: string;
  readonly slots: number;
  /** Length of the pipeline. Default: the pipeline a request asks for. */
  readonly phases?: number;
  /** Files are kept as always. Default false. */
  readonly keepsEvidence?: boolean;
  /** How long each agent "works". Default: not at all. */
  readonly worksForMs?: number;
  /** Whether the worker shows others that it lives. Default true. */
  readonly holdsSession?: boolean;
  readonly settings?: Partial<Settings>;
}

/**
 * The orchestrator with its real store, transport and use cases, and phases that do nothing: what is
 * left is what the orchestration itself costs.
 *
 * @param compose more to put around its ports
 */
export function openNoopOrchestrator(
  options: NoopOptions,
  compose: (deps: Dependencies) => Dependencies = (deps) => deps,
): Promise<OpenOrchestrator> {
  const { databaseUrl, amqpUrl, amqpPrefix, stateDir, slots, settings } = options;
  return openOrchestrator(
    {
      databaseUrl,
      stateDir,
      slots,
      logLevel: "error",
      ...(amqpUrl === undefined ? {} : { amqpUrl }),
      ...(amqpPrefix === undefined ? {} : { amqpPrefix }),
      ...(settings === undefined ? {} : { settings }),
    },
    { compose: (deps) => compose(withoutWork(deps, options)) },
  );
}

function withoutWork(deps: Dependencies, options: NoopOptions): Dependencies {
  const { phases, holdsSession = true, keepsEvidence = false, worksForMs } = options;
  const runs = phases === undefined ? deps.runs : stretchedRuns(deps.runs, phases);
  return {
    ...deps,
    runs: holdsSession ? runs : { ...runs, holdSession: async () => nothingHeld },
    git: noopGit(),
    runtime: noopRuntime(worksForMs),
    artifacts: keepsEvidence ? deps.artifacts : noopArtifacts(),
    backends: new Map([[noopBackend.name, noopBackend]]),
    defaultBackend: noopBackend.name,
  };
}

const nothingHeld: AsyncDisposable = { async [Symbol.asyncDispose]() {} };
