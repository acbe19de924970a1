import type { GitContext } from "./context.ts";

/** Commit `a` is in the history of `b`. An `a` that is not there at all is not. */
export async function isAncestor(
  context: GitContext,
  gitDir: string,
  a: string,
  b: string,
  signal: AbortSignal,
): Promise<boolean> {
  const present = await context.git(
    { args: ["cat-file", "-e", `${a}^{commit}`], gitDir, answers: [0, 1, 128] },
    signal,
  );
  if (present.exitCode !== 0) {
    return false;
  }
  const args = ["merge-base", "--is-ancestor", a, b] as const;
  return (await context.git({ args, gitDir, answers: [0, 1] }, signal)).exitCode === 0;
}
