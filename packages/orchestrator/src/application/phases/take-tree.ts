import type { AgentPhase } from "../../domain/phase.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import type { CommitAbout, GitRun, Harvest } from "../../ports/git-workspace.ts";
import { laidOverFor } from "./agent-surroundings.ts";
import type { PhaseContext } from "./phase-work.ts";

/** Takes the tree an agent has left in its attempt's workspace. */
export function takeTree(
  { deps, run, attempt, signal }: PhaseContext,
  phase: AgentPhase,
  gitRun: GitRun,
  project: SpecKitProject,
): Promise<Harvest> {
  const about = {
    phase,
    attempt,
    featureDirectory: run.featureDirectory ?? "",
    projectDirectory: project.directory,
    laidOver: laidOverFor(run, project, phase),
    secrets: Object.values(deps.backends.get(run.agent)?.secrets ?? {}),
  };
  return deps.git.harvest(gitRun, about, signal);
}

/**
 * What a phase's commit says: a conventional message with trailers that lead back to the run, and
 * dates from its row, so that a re-made commit has the same SHA.
 */
export function commitAbout({ run }: Pick<PhaseContext, "run">, phase: AgentPhase): CommitAbout {
  return {
    message: `docs: ${phase} ${run.featureDirectory ?? ""}\n\nSpeckit-Run: ${run.runId}\nSpeckit-Phase: ${phase}\nSpeckit-Agent: ${run.agent}\n`,
    dateSeconds: Math.floor(run.createdAt.getTime() / 1000) + run.phaseIx,
  };
}
