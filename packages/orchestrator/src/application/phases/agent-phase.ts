import type { AgentPhase } from "../../domain/phase.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { AgentBackend } from "../../ports/agent-backend.ts";
import { callAgent } from "./call-agent.ts";
import { gitRunOf } from "./git-run.ts";
import { judgePhase } from "./judge-phase.ts";
import { keepPartialWork } from "./keep-partial-work.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";
import { readProject } from "./spec-kit-project.ts";

/**
 * One attempt of an agent phase: a fresh workspace, the agent in it, then our own judgement. The
 * agent's exit code only says that it is done; whether the phase succeeded is decided by the files.
 * The commit is ours, made from the tree it left, on a repository it could not write to.
 */
export async function agentPhase(context: PhaseContext, phase: AgentPhase): Promise<PhaseReport> {
  const { deps, run, signal } = context;
  const backend = backendOf(context);
  const gitRun = gitRunOf(context);
  const files =
    run.specKit?.isNew === true
      ? await deps.git.tipFiles(gitRun, signal)
      : await deps.git.baseFiles(gitRun, signal);
  // A pipeline without `prepare` finds its project by itself.
  const project = run.specKit ?? (await readProject(run, files, deps.settings));
  const failed = await callAgent(context, phase, { backend, gitRun, project, files });
  const report: PhaseReport =
    failed === undefined
      ? await judgePhase(context, phase, gitRun, project)
      : { changed: false, failure: failed };
  if (report.failure !== undefined && report.openQuestions === undefined) {
    await keepPartialWork(context, phase, gitRun, project);
  }
  return report;
}

function backendOf({ deps, run }: PhaseContext): AgentBackend {
  const backend = deps.backends.get(run.agent);
  if (backend === undefined) {
    throw new SpeckitError(
      "AGENT_NOT_STARTED",
      `This worker has no agent backend ${run.agent}; it has ${[...deps.backends.keys()].join(", ")}`,
    );
  }
  return backend;
}
