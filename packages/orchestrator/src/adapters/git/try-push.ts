import type { GitContext } from "./context.ts";
import { gitFailure } from "./git-failures.ts";
import { askRemote } from "./remote-refs.ts";

/** Nobody's: a dry run makes no branch of it. */
const BRANCH = "refs/heads/speckit-doctor";

/**
 * A push that ends before it sends anything (`--dry-run`): the remote has let the credential in for
 * writing by then. Rules of branches and hooks are not asked.
 *
 * @throws SpeckitError as the push of a run would
 */
export async function tryPush(
  context: Pick<GitContext, "git" | "folders" | "allowFile" | "deadlines">,
  {
    gitRemote,
    gitDir,
    commit,
  }: { readonly gitRemote: string; readonly gitDir: string; readonly commit: string },
  signal: AbortSignal,
): Promise<void> {
  const { remote, remoteConfig } = await askRemote(context, gitRemote, ["HEAD"], signal);
  const { exitCode, stderr, hasCredential } = await context.git(
    {
      args: ["push", "--dry-run", "--porcelain", "--", remote.url, `${commit}:${BRANCH}`],
      gitDir,
      remote,
      ...(remoteConfig === undefined ? {} : { remoteConfig }),
      deadlineMs: context.deadlines.askMs,
      answers: [0, 1],
    },
    signal,
  );
  if (exitCode !== 0) {
    throw gitFailure({
      operation: "push",
      remote: gitRemote,
      pushes: true,
      hasCredential,
      stderr,
      exitCode,
    });
  }
}
