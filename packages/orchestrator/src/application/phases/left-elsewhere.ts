import type { GitRun, WorkspaceHead } from "../../ports/git-workspace.ts";

/**
 * What to say of an agent that left its workspace on another branch or commit, undefined when it
 * stands where it began. Old Spec Kits switch branches by themselves: only the files count.
 */
export function leftElsewhere(
  { branch, sha }: WorkspaceHead,
  run: Pick<GitRun, "branch" | "tipSha">,
): string | undefined {
  const isSwitched = branch !== run.branch;
  if (!isSwitched && sha === run.tipSha) {
    return undefined;
  }
  const where = branch === null ? "no branch" : `branch ${branch}`;
  return isSwitched
    ? `The agent left its workspace on ${where} instead of ${run.branch}; its files are taken, its commits are not`
    : "The agent has made commits; its files are taken, its commits are not";
}
