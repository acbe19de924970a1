import { inRepository } from "../spec-kit/project-path.ts";
import { AGENT_CONTEXT_FILES } from "../verify/check.ts";

/** Besides the feature's own folder: what the checks of the phases let them touch. */
const BESIDES: readonly string[] = [".specify/feature.json", ...AGENT_CONTEXT_FILES];

/**
 * Whether Spec Kit's phases touch a path: the feature directory, `.specify/feature.json`, and the files
 * in which agents keep what they know of the project.
 */
export function isPhasePath(
  path: string,
  {
    featureDirectory,
    projectDirectory,
  }: {
    /** From the repository's root; null: there is none yet. */
    readonly featureDirectory: string | null;
    /** "" is the repository's root. */
    readonly projectDirectory: string;
  },
): boolean {
  return (
    (featureDirectory !== null && path.startsWith(`${featureDirectory}/`)) ||
    BESIDES.some((other) => path === inRepository(projectDirectory, other))
  );
}
