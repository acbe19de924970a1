import { randomUUID } from "node:crypto";
import { codexBinary } from "@speckit/testkit";
import { codexBackend } from "../../../../src/adapters/agents/index.ts";
import { createGateway } from "../../../../src/adapters/gateway/index.ts";
import { processRuntime } from "../../../../src/adapters/process/index.ts";
import { systemClock } from "../../../../src/adapters/system/index.ts";
import type { AgentBackend } from "../../../../src/ports/agent-backend.ts";
import type { CredentialRepository } from "../../../../src/ports/credential-repository.ts";
import type { JobRuntime } from "../../../../src/ports/job-runtime.ts";
import type { ModelAccess } from "../../../../src/ports/model-gateway.ts";
import {
  memoryCredentialRepository,
  memoryDatabase,
} from "../../../../src/testing/memory/index.ts";
import { recordingLogger } from "../../rabbitmq/recording-logger.ts";

/** What no agent may ever see. */
export const REAL_KEY = "sk-canary-codex-0123456789";

export interface CodexAtGateway extends AsyncDisposable {
  readonly backend: AgentBackend;
  readonly runtime: JobRuntime;
  readonly credentials: CredentialRepository;
  /** A way to the model for one attempt, by the test's to end. */
  readonly open: () => Promise<ModelAccess>;
}

/** The real Codex as a worker calls it, behind a gateway of its own to the provider at `baseUrl`. */
export async function codexAtGateway(options: {
  readonly baseUrl: string;
  readonly model?: string;
  /** Default: the gateway's own. */
  readonly hangMs?: number | undefined;
}): Promise<CodexAtGateway> {
  const { baseUrl, model = "gpt-5.5", hangMs } = options;
  const clock = { nowMs: () => Date.now() };
  const credentials = memoryCredentialRepository(
    memoryDatabase({ clock, deploymentId: randomUUID() }),
  );
  const gateway = await createGateway({
    upstreams: { openai: { baseUrl, apiKeys: [REAL_KEY], credential: "codex" } },
    credentials,
    clock: systemClock,
    logger: recordingLogger().logger,
    ...(hangMs === undefined ? {} : { hangMs }),
  });
  return {
    backend: codexBackend({
      executable: codexBinary(),
      allowance: { models: undefined, defaultModel: model, options: [] },
    }),
    runtime: processRuntime({ termGraceMs: 200 }),
    credentials,
    open: () =>
      gateway.open({
        runId: randomUUID(),
        phase: "specify",
        attempt: 1,
        expiresInMs: 120_000,
        limits: {},
      }),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
