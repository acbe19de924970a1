import { isSince } from "./project-settings.ts";

/**
 * Variables that Spec Kit's own scripts read; they must reach the commands an agent starts.
 *
 * - `SPECIFY_FEATURE_DIRECTORY`: wins over whatever else says where the feature is, since 0.5.
 * - `SPECIFY_FEATURE`: the same before 0.10, by name alone; later only a label.
 * - `SPECIFY_INIT_DIR`: the project, where it is not the repository's root: scripts look no further.
 * - `GIT_BRANCH_NAME`: the branch Spec Kit's git extension shall use instead of one of its own.
 */
export function scriptEnvironment(about: {
  readonly version: string | null;
  /** Installed ones. */
  readonly extensions: readonly string[];
  /** As the project sees it. */
  readonly featureDirectory: string;
  /** Absolute, as the agent sees it; undefined when the project is the repository. */
  readonly projectFolder: string | undefined;
  readonly branch: string;
}): Readonly<Record<string, string>> {
  const { featureDirectory, projectFolder } = about;
  return {
    SPECIFY_FEATURE_DIRECTORY: featureDirectory,
    ...(isSince(about.version, 0, 10)
      ? {}
      : { SPECIFY_FEATURE: featureDirectory.slice(featureDirectory.lastIndexOf("/") + 1) }),
    ...(projectFolder === undefined ? {} : { SPECIFY_INIT_DIR: projectFolder }),
    ...(about.extensions.includes("git") ? { GIT_BRANCH_NAME: about.branch } : {}),
  };
}
