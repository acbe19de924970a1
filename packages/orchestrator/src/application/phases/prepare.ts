import { featureDirectoryFor, highestFeatureNumber } from "../../domain/feature-directory.ts";
import { isAgentPhase } from "../../domain/phase.ts";
import { skillPath } from "../../domain/skill.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { BaseFiles } from "../../ports/git-workspace.ts";
import { orLost } from "../while-held.ts";
import { gitRunOf } from "./git-run.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";

/**
 * Fixes what the run is built on: base commit, the branch's state at the remote, the feature
 * directory. Refuses a repository Spec Kit cannot work in before an agent costs anything.
 */
export async function prepare(context: PhaseContext): Promise<PhaseReport> {
  const { deps, run, lease, signal } = context;
  const unready = deps.backends.get(run.agent)?.unready?.();
  if (unready !== undefined) {
    return { changed: false, failure: unready };
  }
  const remote = await deps.git.fetchBase(
    {
      runId: run.runId,
      gitRemote: run.gitRemote,
      baseBranch: run.request.baseBranch,
      branch: run.branch,
    },
    signal,
  );
  const { baseSha } = remote;
  const files = await deps.git.baseFiles(
    { ...gitRunOf(context), baseSha, tipSha: baseSha },
    signal,
  );
  await requireSpecKit(context, files);
  const allot = {
    highestInTree: highestFeatureNumber(files.specNames),
    nameFor: (number: number) => featureDirectoryFor(number, run.request.specifyText),
  };
  const featureDirectory = await orLost(lease, deps.runs.allotFeatureDirectory(lease.hold, allot));
  return {
    changed: false,
    facts: { ...remote, tipSha: baseSha },
    told: { baseBranch: remote.baseBranch, baseSha, featureDirectory },
  };
}

async function requireSpecKit({ run }: PhaseContext, files: BaseFiles): Promise<void> {
  const missing: string[] = [];
  for (const phase of run.pipeline.filter(isAgentPhase)) {
    if ((await files.read(skillPath(phase))) === undefined) {
      missing.push(skillPath(phase));
    }
  }
  if (missing.length === 0) {
    return;
  }
  if (!files.hasSpecify) {
    throw new SpeckitError(
      "NOT_A_SPEC_KIT_PROJECT",
      `${run.repository} has no .specify folder at its base commit`,
    );
  }
  throw new SpeckitError(
    "SPEC_KIT_LAYOUT_UNSUPPORTED",
    `${run.repository} has .specify, but not ${missing.join(", ")} at its base commit`,
  );
}
