import type { AgentPhase } from "../../domain/phase.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import type { GitRun } from "../../ports/git-workspace.ts";
import { laidOverFor } from "./agent-surroundings.ts";
import { commitMessage } from "./commit-message.ts";
import type { PhaseContext } from "./phase-work.ts";

/**
 * Keeps what an attempt that failed has left as a patch, for whoever looks into it. Evidence and
 * nothing more: no later phase sees it, and what cannot be taken is left.
 */
export async function keepPartialWork(
  { deps, run, attempt, signal, evidence }: PhaseContext,
  phase: AgentPhase,
  gitRun: GitRun,
  project: SpecKitProject,
): Promise<void> {
  const featureDirectory = run.featureDirectory ?? "";
  try {
    const laidOver = laidOverFor(run, project, phase);
    const projectDirectory = project.directory;
    const harvest = await deps.git.harvest(
      gitRun,
      { phase, attempt, featureDirectory, projectDirectory, laidOver },
      signal,
    );
    if (harvest.changed.length === 0) {
      return;
    }
    // Made in the run's disposable repository, where no branch comes to it.
    const { patch } = await harvest.commit({
      message: commitMessage(phase, run.runId, featureDirectory),
      dateSeconds: Math.floor(run.createdAt.getTime() / 1000) + run.phaseIx,
    });
    evidence.artifacts.push(
      await deps.artifacts.put(run.runId, `${phase}-${attempt}/partial.patch`, patch),
    );
  } catch (error) {
    deps.logger.info("partial work not kept", { error: String(error) });
  }
}
