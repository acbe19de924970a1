import {
  featureDirectoryAt,
  featureDirectoryFor,
  highestFeatureNumber,
} from "../../domain/feature-directory.ts";
import { findProject } from "../../domain/spec-kit/find-project.ts";
import { missingDocuments } from "../../domain/spec-kit/needed-documents.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import { inRepository } from "../../domain/spec-kit/project-path.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { Committed, GitRun } from "../../ports/git-workspace.ts";
import type { RunRecord } from "../../ports/run-record.ts";
import { orLost } from "../while-held.ts";
import { gitRunOf } from "./git-run.ts";
import { initSpecKit } from "./init-spec-kit.ts";
import type { PhaseContext, PhaseReport } from "./phase-work.ts";
import { readProject } from "./spec-kit-project.ts";

/**
 * Fixes what the run is built on: base commit, the branch's state at the remote, the Spec Kit
 * project and the feature directory. Refuses a repository Spec Kit cannot work in before an agent
 * costs anything.
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
      startsFromBranch: goesOnWithBranch(run),
    },
    signal,
  );
  const { baseSha } = remote;
  const gitRun = { ...gitRunOf(context), baseSha, tipSha: baseSha };
  const { specKit, paths, made } = await projectOf(context, gitRun);
  const featureDirectory = await orLost(
    lease,
    deps.runs.allotFeatureDirectory(lease.hold, allotment(run, specKit, paths)),
  );
  requireDocuments(run, featureDirectory, paths);
  return {
    changed: made !== undefined,
    facts: { ...remote, tipSha: made?.tipSha ?? baseSha, specKit },
    ...(made?.checkpoint === undefined ? {} : { checkpoint: made.checkpoint }),
    told: { baseBranch: remote.baseBranch, baseSha, featureDirectory, specKit },
  };
}

interface Prepared {
  readonly specKit: SpecKitProject;
  readonly paths: readonly string[];
  /** The commit that added Spec Kit. */
  readonly made?: Committed;
}

/** The repository's project, or one that is made here where the deployment wants that. */
async function projectOf(context: PhaseContext, gitRun: GitRun): Promise<Prepared> {
  const { deps, run, signal } = context;
  const files = await deps.git.baseFiles(gitRun, signal);
  const paths = await files.listPaths();
  const found = findProject(paths, run.request.projectDirectory);
  if (deps.specifyInit === undefined || found.found || found.because !== "none") {
    return { specKit: await readProject(run, files, deps.settings), paths };
  }
  const made = await initSpecKit(context, gitRun, deps.specifyInit);
  const tip = { ...gitRun, tipSha: made.tipSha, loadCheckpoint: async () => made.checkpoint };
  const newFiles = await deps.git.tipFiles(tip, signal);
  const specKit = await readProject(run, newFiles, deps.settings);
  return { specKit: { ...specKit, isNew: true }, paths: await newFiles.listPaths(), made };
}

/**
 * A run whose branch is named and exists at the remote goes on with what is there, unless the request
 * names another base: with a specification that is on it, or on top of what an earlier run has pushed.
 */
function goesOnWithBranch({ request }: RunRecord): boolean {
  return request.branch !== undefined && request.baseBranch === undefined;
}

function allotment(
  { request, createdAt }: RunRecord,
  { directory, featureNumbering }: SpecKitProject,
  paths: readonly string[],
) {
  const { specifyText, featureDirectory } = request;
  const byTime =
    featureNumbering === "timestamp" ? featureDirectoryAt(createdAt, specifyText) : undefined;
  const name = featureDirectory ?? byTime;
  const specs = inRepository(directory, "specs/");
  const names = paths
    .filter((path) => path.startsWith(specs))
    .map((path) => path.slice(specs.length));
  return {
    name: name === undefined ? undefined : inRepository(directory, name),
    highestInTree: highestFeatureNumber(names),
    nameFor: (number: number) => inRepository(directory, featureDirectoryFor(number, specifyText)),
  };
}

function requireDocuments(
  { repository, pipeline }: RunRecord,
  featureDirectory: string,
  paths: readonly string[],
): void {
  const [missing] = missingDocuments(pipeline, (name) =>
    paths.includes(`${featureDirectory}/${name}`),
  );
  if (missing !== undefined) {
    throw new SpeckitError(
      "DOCUMENT_MISSING",
      `${repository}: ${missing.phase} needs ${featureDirectory}/${missing.document}, which the base commit does not have`,
    );
  }
}
