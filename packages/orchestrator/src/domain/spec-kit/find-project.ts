import { inRepository, isProjectDirectory } from "./project-path.ts";

/** Folders deeper than this are examples and fixtures rather than projects. */
const MAX_DEPTH = 4;

export type FoundProject =
  | { readonly found: true; readonly directory: string }
  /** `others`: where there is one. */
  | {
      readonly found: false;
      readonly because: "none" | "several" | "not_there";
      readonly others: readonly string[];
    };

/**
 * The Spec Kit project of a repository: the folder that holds `.specify`. Asked for, it is that one;
 * else the root if it is one, else the only one there is.
 *
 * @param paths every file of the commit
 * @param asked a project's directory, "" for the root
 */
export function findProject(paths: readonly string[], asked?: string): FoundProject {
  const isProject = (directory: string) => {
    const specify = inRepository(directory, ".specify/");
    return paths.some((path) => path.startsWith(specify));
  };
  if (asked !== undefined) {
    return isProject(asked)
      ? { found: true, directory: asked }
      : { found: false, because: "not_there", others: projectsBelow(paths) };
  }
  if (isProject("")) {
    return { found: true, directory: "" };
  }
  const others = projectsBelow(paths);
  const [only] = others;
  return only !== undefined && others.length === 1
    ? { found: true, directory: only }
    : { found: false, because: only === undefined ? "none" : "several", others };
}

function projectsBelow(paths: readonly string[]): readonly string[] {
  const directories = new Set<string>();
  for (const path of paths) {
    const end = path.indexOf("/.specify/");
    const directory = path.slice(0, Math.max(end, 0));
    const names = directory.split("/");
    if (end > 0 && names.length <= MAX_DEPTH && !names.includes("node_modules")) {
      directories.add(directory);
    }
  }
  return [...directories].filter(isProjectDirectory).sort();
}
