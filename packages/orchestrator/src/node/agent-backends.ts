import {
  CODEX_OPTION_NAMES,
  codexBackend,
  commandBackend,
  scriptedBackend,
} from "../adapters/agents/index.ts";
import { failure } from "../domain/failure.ts";
import type { AgentBackend } from "../ports/agent-backend.ts";
import type { OrchestratorConfig } from "./config.ts";

/** The backends of a deployment, as its configuration says, for agents that run so. */
export function agentBackends(
  config: OrchestratorConfig,
  runtime: "docker" | "process" = "process",
): readonly AgentBackend[] {
  const command =
    config.agentCommand === undefined
      ? []
      : [
          commandBackend({
            name: "command",
            description: `the command ${config.agentCommand[0]}`,
            argv: config.agentCommand,
            ...(config.agentSecrets === undefined ? {} : { secrets: config.agentSecrets }),
          }),
        ];
  return [codexOf(config, runtime), ...command, scriptedBackend(runtime)];
}

function codexOf(
  { codex = {}, docker, unsafe }: OrchestratorConfig,
  runtime: "docker" | "process",
): AgentBackend {
  // A gateway that somebody else runs has a key of its own.
  const hasKey =
    codex.apiKeys !== undefined || (runtime === "docker" && docker?.gatewayVolume !== undefined);
  return codexBackend({
    // In a container it is the image's.
    ...(codex.executable === undefined || runtime === "docker"
      ? {}
      : { executable: codex.executable }),
    isIsolated: runtime === "docker",
    allowance: {
      models: codex.models,
      defaultModel: codex.model,
      options: codex.options ?? CODEX_OPTION_NAMES,
    },
    unready: hasKey
      ? undefined
      : failure("MODEL_CREDENTIALS_MISSING", "The agent codex has no key of its provider here"),
    unsafe: unsafe === true,
  });
}
