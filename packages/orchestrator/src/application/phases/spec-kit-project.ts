import { AGENT_PHASES, type AgentPhase } from "../../domain/phase.ts";
import { readExtensions } from "../../domain/spec-kit/extensions.ts";
import { findProject } from "../../domain/spec-kit/find-project.ts";
import {
  type InstructionsFile,
  instructionFiles,
} from "../../domain/spec-kit/instruction-files.ts";
import { instructionsText } from "../../domain/spec-kit/instructions-text.ts";
import type { SpecKitProject } from "../../domain/spec-kit/project.ts";
import { inRepository } from "../../domain/spec-kit/project-path.ts";
import { isSince, readProjectSettings } from "../../domain/spec-kit/project-settings.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { BaseFiles } from "../../ports/git-workspace.ts";
import type { RunRecord } from "../../ports/run-record.ts";

/** Where the feature is, for Spec Kit's own scripts and skills. */
export const FEATURE_JSON = ".specify/feature.json";
export const EXTENSIONS = ".specify/extensions.yml";

export type Instructions = InstructionsFile & { readonly text: string };

/**
 * Finds the run's Spec Kit project among the files of its base commit, and what is to be known of it.
 *
 * @throws SpeckitError `NOT_A_SPEC_KIT_PROJECT`, `PROJECT_DIRECTORY_NEEDED`, `SPEC_KIT_LAYOUT_UNSUPPORTED`
 */
export async function readProject(
  run: Pick<RunRecord, "repository" | "request" | "pipeline">,
  files: BaseFiles,
  { extensionHooks }: { readonly extensionHooks: boolean },
): Promise<SpecKitProject> {
  const paths = await files.listPaths();
  const directory = directoryOf(run, paths);
  const [integration, options, extensionsFile] = await Promise.all(
    [".specify/integration.json", ".specify/init-options.json", EXTENSIONS].map((path) =>
      files.read(inRepository(directory, path)),
    ),
  );
  const settings = readProjectSettings(integration, options);
  const extensions = readExtensions(extensionsFile);
  const hooks = extensionHooks ? "on" : "off";
  const about = { directory, agent: settings.agent };
  const instructions: Partial<Record<AgentPhase, InstructionsFile>> = {};
  const missing: AgentPhase[] = [];
  let usesFeatureJson = isSince(settings.version, 0, 6);
  for (const phase of AGENT_PHASES.filter((one) => run.pipeline.includes(one))) {
    const found = await firstWithText(files, instructionFiles(phase, paths, about));
    if (found === undefined) {
      missing.push(phase);
    } else {
      const { text, ...file } = found;
      instructions[phase] = file;
      usesFeatureJson ||= text.includes("feature.json");
    }
  }
  if (missing.length > 0) {
    throw new SpeckitError(
      "SPEC_KIT_LAYOUT_UNSUPPORTED",
      `${run.repository} has ${inRepository(directory, ".specify")}, but no instructions for ${missing.join(", ")} at its base commit: neither .agents/skills/speckit-${missing[0]}/SKILL.md nor a command file of any agent`,
    );
  }
  return {
    ...settings,
    directory,
    instructions,
    extensions: extensions.installed,
    hooks: extensions.hasHooks ? hooks : "none",
    usesFeatureJson,
    isNew: false,
  };
}

/**
 * The instructions of a phase, as they stand at the base commit.
 *
 * @throws SpeckitError `SPEC_KIT_LAYOUT_UNSUPPORTED`
 */
export async function readInstructions(
  run: Pick<RunRecord, "repository">,
  files: BaseFiles,
  project: SpecKitProject,
  phase: AgentPhase,
): Promise<Instructions> {
  const file = project.instructions[phase];
  const found = file === undefined ? undefined : await firstWithText(files, [file]);
  if (found === undefined) {
    throw new SpeckitError(
      "SPEC_KIT_LAYOUT_UNSUPPORTED",
      `${run.repository} has no instructions for ${phase} at its base commit`,
    );
  }
  return found;
}

function directoryOf(
  { repository, request }: Pick<RunRecord, "repository" | "request">,
  paths: readonly string[],
): string {
  const asked = request.projectDirectory;
  const found = findProject(paths, asked);
  if (found.found) {
    return found.directory;
  }
  const there = found.others.slice(0, 20).join(", ");
  switch (found.because) {
    case "several":
      throw new SpeckitError(
        "PROJECT_DIRECTORY_NEEDED",
        `${repository} has several Spec Kit projects at its base commit: ${there}`,
      );
    case "not_there":
      throw new SpeckitError(
        "NOT_A_SPEC_KIT_PROJECT",
        `${repository} has no ${inRepository(asked ?? "", ".specify")} at its base commit${there === "" ? "" : `; there is one in ${there}`}`,
      );
    default:
      throw new SpeckitError(
        "NOT_A_SPEC_KIT_PROJECT",
        `${repository} has no .specify folder at its base commit`,
      );
  }
}

/** A file may only point to another one, which some agents read instead of it. */
async function firstWithText(
  files: BaseFiles,
  candidates: readonly InstructionsFile[],
): Promise<Instructions | undefined> {
  for (const file of candidates) {
    const content = await files.read(file.path);
    const text = content === undefined ? "" : instructionsText(file.path, content);
    if (text !== "") {
      return { ...file, text };
    }
  }
  return undefined;
}
