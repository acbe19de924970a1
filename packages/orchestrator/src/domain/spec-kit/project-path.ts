import { isBranchName } from "../branch-name.ts";

/*
 * A repository may hold several Spec Kit projects, each in a folder of its own. The project's
 * directory is relative to the repository's root, without a slash at its end; the root itself is "".
 */

/**
 * Whether a text can be the directory of a project below the root: the same plain, visible names,
 * joined by slashes, as those of branches. It becomes part of paths, prompts and messages.
 */
export function isProjectDirectory(text: string): boolean {
  return isBranchName(text);
}

/** A path of the project as one of the repository. */
export function inRepository(project: string, path: string): string {
  if (project === "") {
    return path;
  }
  const folders = project.split("/");
  let rest = path;
  while (rest.startsWith("../") && folders.length > 0) {
    rest = rest.slice("../".length);
    folders.pop();
  }
  return [...folders, rest].join("/");
}

/** A path of the repository as the project sees it; what lies outside begins with `../`. */
export function inProject(project: string, path: string): string {
  if (project === "") {
    return path;
  }
  const [folders, names] = [project.split("/"), path.split("/")];
  let shared = 0;
  while (
    shared < folders.length &&
    shared < names.length - 1 &&
    folders[shared] === names[shared]
  ) {
    shared += 1;
  }
  return [...folders.slice(shared).map(() => ".."), ...names.slice(shared)].join("/");
}
