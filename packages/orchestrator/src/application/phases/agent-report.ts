import type { AgentReport } from "../../contract/agent-report.ts";
import type { AgentBackend, AgentCommand, AgentPrompt } from "../../ports/agent-backend.ts";
import type { PhaseContext } from "./phase-work.ts";

/** What is called and how: kept with the attempt, so that a result can be traced to its making. */
export async function agentReport(
  { deps, run }: PhaseContext,
  backend: AgentBackend,
  prompt: AgentPrompt,
  command: AgentCommand,
): Promise<AgentReport> {
  const choice = run.request.agent ?? {};
  const { versionArgv } = backend;
  const [version, { isolation }] = await Promise.all([
    versionArgv === undefined ? undefined : deps.runtime.outputOf?.(versionArgv),
    deps.runtime.report(),
  ]);
  return {
    backend: backend.name,
    description: backend.description,
    version: version?.trim().split("\n", 1)[0]?.slice(0, 200) ?? null,
    model: backend.modelOf?.(choice) ?? choice.model ?? null,
    options: choice.options ?? {},
    instructions: prompt.skill.path,
    specKitVersion: null,
    promptSha256: deps.identity.sha256(command.stdin),
    isolation,
    sandbox: backend.sandbox ?? null,
  };
}
