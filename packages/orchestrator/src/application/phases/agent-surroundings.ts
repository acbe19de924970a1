import type { AgentPhase } from "../../domain/phase.ts";
import { scriptEnvironment } from "../../domain/spec-kit/environment.ts";
import { EXTENSIONS_WITHOUT_HOOKS } from "../../domain/spec-kit/extensions.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import { inProject, inRepository } from "../../domain/spec-kit/project-path.ts";
import type { AgentPrompt } from "../../ports/agent-backend.ts";
import type { LaidOverFile } from "../../ports/git-workspace.ts";
import type { JobFolders } from "../../ports/job-runtime.ts";
import type { RunRecord } from "../../ports/run-record.ts";
import { EXTENSIONS, FEATURE_JSON } from "./spec-kit-project.ts";

/**
 * What an agent finds in its workspace besides the tree: `feature.json`, which is in no commit, for
 * phases that look the feature up there; and no hooks, unless they are allowed.
 */
export function laidOverFor(
  { featureDirectory }: Pick<RunRecord, "featureDirectory">,
  { directory, usesFeatureJson, hooks }: SpecKitProject,
  phase: AgentPhase,
): readonly LaidOverFile[] {
  const files: LaidOverFile[] = [];
  if (phase !== "specify" && usesFeatureJson) {
    const feature = { feature_directory: inProject(directory, featureDirectory ?? "") };
    files.push({
      path: inRepository(directory, FEATURE_JSON),
      content: `${JSON.stringify(feature, null, 2)}\n`,
    });
  }
  if (hooks === "off") {
    files.push({ path: inRepository(directory, EXTENSIONS), content: EXTENSIONS_WITHOUT_HOOKS });
  }
  return files;
}

/** The agent works in its project's folder of the workspace. */
export function foldersOfProject(
  { workspace, home }: JobFolders,
  { directory }: Pick<SpecKitProject, "directory">,
): JobFolders {
  return { workspace: directory === "" ? workspace : `${workspace}/${directory}`, home };
}

/** What a prompt says of the project. Paths are as the agent sees them from its folder. */
export function surroundingsOf(
  { featureDirectory, branch }: Pick<RunRecord, "featureDirectory" | "branch">,
  project: SpecKitProject,
  folders: JobFolders,
): Pick<AgentPrompt, "projectDirectory" | "featureDirectory" | "environment" | "hooks"> {
  const { directory, version, extensions, hooks } = project;
  const feature = inProject(directory, featureDirectory ?? "");
  return {
    projectDirectory: directory,
    featureDirectory: feature,
    environment: scriptEnvironment({
      version,
      extensions,
      featureDirectory: feature,
      projectFolder: directory === "" ? undefined : folders.workspace,
      branch,
    }),
    hooks,
  };
}
