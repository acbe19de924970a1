import {
  CODEX_OPTION_NAMES,
  codexBackend,
  commandBackend,
  scriptedBackend,
} from "../adapters/agents/index.ts";
import { failure } from "../domain/failure.ts";
import type { AgentBackend } from "../ports/agent-backend.ts";
import type { OrchestratorConfig } from "./config.ts";

/** The backends of a deployment, as its configuration says. */
export function agentBackends(config: OrchestratorConfig): readonly AgentBackend[] {
  const command =
    config.agentCommand === undefined
      ? []
      : [
          commandBackend({
            name: "command",
            description: `the command ${config.agentCommand[0]}`,
            argv: config.agentCommand,
          }),
        ];
  return [codexOf(config), ...command, scriptedBackend()];
}

function codexOf({ codex = {}, unsafe }: OrchestratorConfig): AgentBackend {
  return codexBackend({
    ...(codex.executable === undefined ? {} : { executable: codex.executable }),
    allowance: {
      models: codex.models,
      defaultModel: codex.model,
      options: codex.options ?? CODEX_OPTION_NAMES,
    },
    unready:
      codex.apiKey === undefined
        ? failure("MODEL_CREDENTIALS_MISSING", "The agent codex has no key of its provider here")
        : undefined,
    unsafe: unsafe === true,
  });
}
