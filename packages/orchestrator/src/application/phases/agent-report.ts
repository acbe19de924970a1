import type { AgentReport } from "../../contract/agent-report.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import type { AgentBackend, AgentCommand, AgentPrompt } from "../../ports/agent-backend.ts";
import type { PhaseContext } from "./phase-work.ts";

/** What is called and how: kept with the attempt, so that a result can be traced to its making. */
export async function agentReport(
  { deps, run }: PhaseContext,
  call: {
    readonly backend: AgentBackend;
    readonly prompt: AgentPrompt;
    readonly command: AgentCommand;
    readonly project: SpecKitProject;
  },
): Promise<AgentReport> {
  const { backend, prompt, command, project } = call;
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
    instructions: prompt.instructions.path,
    specKitVersion: project.version ?? null,
    promptSha256: deps.identity.sha256(command.stdin),
    isolation,
    sandbox: backend.sandbox ?? null,
    ...(backend.secrets === undefined ? {} : { secrets: Object.keys(backend.secrets) }),
  };
}
