import { hostname } from "node:os";
import type { AgentBackend, Dependencies, JobRuntime, ModelGateway } from "@speckit/orchestrator";
import type { RunResult } from "@speckit/orchestrator/contract";
import { openOrchestrator } from "@speckit/orchestrator/node";
import { codexBinary } from "@speckit/testkit";
import { toldRuns } from "../told-runs.ts";

/** A worker that carries runs with the real Codex, and the parts it is made of. */
export interface CodexWorker extends AsyncDisposable {
  readonly backend: AgentBackend;
  readonly runtime: JobRuntime;
  readonly gateway: ModelGateway;
  /** Carries a run of three agent phases to its end. */
  readonly carry: (repository: string) => Promise<RunResult>;
}

/** Opens it in this process, on a database, with its model at `baseUrl`. */
export async function openCodexWorker(options: {
  readonly databaseUrl: string;
  readonly stateDir: string;
  readonly baseUrl: string;
}): Promise<CodexWorker> {
  const { databaseUrl, stateDir, baseUrl } = options;
  await using undo = new AsyncDisposableStack();
  const told = toldRuns();
  let parts: Dependencies | undefined;
  const { orchestrator } = undo.use(
    await openOrchestrator(
      {
        databaseUrl,
        stateDir,
        allowPaths: true,
        agent: "codex",
        codex: { apiKeys: ["sk-bench"], executable: codexBinary(), baseUrl, model: "gpt-5.5" },
        logLevel: "error",
      },
      {
        compose: (deps) => {
          parts = deps;
          return {
            ...deps,
            transport: {
              ...deps.transport,
              async publishEvent(event) {
                await deps.transport.publishEvent(event);
                told.hear(event);
              },
            },
          };
        },
      },
    ),
  );
  undo.use(await orchestrator.work({ slots: 1, hostname: hostname() }));
  const backend = parts?.backends.get("codex");
  const gateway = parts?.gateways?.get("codex");
  if (parts === undefined || backend === undefined || gateway === undefined) {
    throw new Error("The orchestrator was opened without Codex");
  }
  const { runtime } = parts;
  const owned = undo.move();
  return {
    backend,
    runtime,
    gateway,
    async carry(repository) {
      const { run } = await orchestrator.submit({
        schemaVersion: 1,
        repository,
        specifyText: "Add OAuth login",
      });
      await told.succeeded(run.runId);
      await told.closed(run.runId);
      return orchestrator.result(run.runId);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
