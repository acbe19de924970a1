import type { Finding } from "../failure.ts";
import type { PhaseOutput } from "../verify/phase-output.ts";
import type { SpecKitProject } from "./project.ts";
import { inProject, inRepository } from "./project-path.ts";

/** What an agent left as its project sees it: checks know nothing of where the project lies. */
export function outputOfProject(
  output: PhaseOutput,
  project: Pick<SpecKitProject, "directory" | "usesFeatureJson">,
): PhaseOutput {
  const { directory } = project;
  return {
    featureDirectory: inProject(directory, output.featureDirectory),
    read: (path) => output.read(inRepository(directory, path)),
    changed: output.changed.map(({ path, kind }) => ({ path: inProject(directory, path), kind })),
    ...(project.usesFeatureJson ? {} : { featureJson: "optional" as const }),
  };
}

/** Findings of a project with paths from the repository's root, as they are stored and shown. */
export function findingsInRepository(
  findings: readonly Finding[],
  directory: string,
): readonly Finding[] {
  return findings.map((one) => ({ ...one, path: inRepository(directory, one.path) }));
}

/** The same the other way round, as the project's agent sees them. */
export function findingsInProject(
  findings: readonly Finding[],
  directory: string,
): readonly Finding[] {
  return findings.map((one) => ({ ...one, path: inProject(directory, one.path) }));
}
