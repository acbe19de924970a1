import { SpeckitError } from "../../domain/speckit-error.ts";
import type { Committed, GitRun } from "../../ports/git-workspace.ts";
import type { PhaseContext } from "./phase-work.ts";
import { runInitCommand } from "./run-init-command.ts";

/**
 * Makes a repository a Spec Kit project where the deployment wants that: Spec Kit's own `init`, run
 * in a workspace and held like an agent. Only files that were not there are taken; the run's first
 * commit adds them.
 *
 * Cut anywhere, nothing has happened: the next attempt of `prepare` does it again, and makes the same
 * commit of the same files.
 *
 * @param argv the whole command
 * @throws SpeckitError `SPEC_KIT_INIT_FAILED`, `WORKER_REPLACED`
 */
export async function initSpecKit(
  context: PhaseContext,
  gitRun: GitRun,
  argv: readonly [string, ...string[]],
): Promise<Committed> {
  const { deps, run, attempt, signal, evidence } = context;
  const name = { phase: "prepare", attempt } as const;
  const folders = await deps.git.createAttempt(gitRun, name, signal);
  await runInitCommand(context, argv, folders);
  const harvest = await deps.git.harvest(gitRun, { ...name, featureDirectory: "specs" }, signal);
  const [other] = harvest.changed.filter(({ kind }) => kind !== "added");
  if (other !== undefined || harvest.changed.length === 0) {
    throw new SpeckitError(
      "SPEC_KIT_INIT_FAILED",
      `${run.repository}: ${argv[0]} has ${other === undefined ? "added nothing" : `${other.kind} ${other.path}, which was there before`}`,
    );
  }
  const committed = await harvest.commit({
    message: `chore: add Spec Kit\n\nSpeckit-Run: ${run.runId}\nSpeckit-Phase: prepare\n`,
    dateSeconds: Math.floor(run.createdAt.getTime() / 1000) + run.phaseIx,
  });
  evidence.artifacts.push(
    await deps.artifacts.put(run.runId, `prepare-${attempt}/changes.patch`, committed.patch),
  );
  return committed;
}
