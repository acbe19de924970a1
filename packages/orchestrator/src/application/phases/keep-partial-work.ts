import type { AgentPhase } from "../../domain/phase.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import type { GitRun } from "../../ports/git-workspace.ts";
import type { PhaseContext } from "./phase-work.ts";
import { commitAbout, takeTree } from "./take-tree.ts";

/**
 * Keeps what an attempt that failed has left as a patch, for whoever looks into it. Evidence and
 * nothing more: no later phase sees it, and what cannot be taken is left.
 */
export async function keepPartialWork(
  context: PhaseContext,
  phase: AgentPhase,
  gitRun: GitRun,
  project: SpecKitProject,
): Promise<void> {
  const { deps, run, attempt, evidence } = context;
  try {
    const harvest = await takeTree(context, phase, gitRun, project);
    if (harvest.changed.length === 0) {
      return;
    }
    // Made in the run's disposable repository, where no branch comes to it.
    const { patch } = await harvest.commit(commitAbout(context, phase));
    evidence.artifacts.push(
      await deps.artifacts.put(run.runId, `${phase}-${attempt}/partial.patch`, patch),
    );
  } catch (error) {
    deps.logger.info("partial work not kept", { error: String(error) });
  }
}
