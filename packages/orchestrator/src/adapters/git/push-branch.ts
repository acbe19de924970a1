import { isBranchName } from "../../domain/branch-name.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitRun } from "../../ports/git-workspace.ts";
import type { GitContext } from "./context.ts";
import { gitFailure } from "./git-failures.ts";
import { isAncestor } from "./is-ancestor.ts";
import { judgePush, refusalReason } from "./judge-push.ts";
import { pushRefusal } from "./push-refusal.ts";
import { askRemote } from "./remote-refs.ts";
import { remoteWords, shownWords } from "./remote-words.ts";
import { openRunRepository } from "./run-repository.ts";

/**
 * Brings the run's tip to its branch at the remote.
 *
 *     look ──► there already ─────────────────────────► done
 *          └─► elsewhere than expected, or no ancestor ► BRANCH_DIVERGED
 *          └─► as expected ─► push with that old value ► done | refused | unknown
 *
 * The old value goes along with the push, so a branch that moves after the look is not overwritten:
 * the remote compares and refuses. That needs git's `--force-with-lease`; nothing is forced by it,
 * since the old value was shown to be an ancestor first. When the answer is lost, the next try's
 * look finds the tip there.
 */
export async function pushBranch(
  context: GitContext,
  run: GitRun,
  expectedOldSha: string | null,
  signal: AbortSignal,
): Promise<void> {
  if (!isBranchName(run.branch)) {
    throw new SpeckitError(
      "REQUEST_INVALID",
      `Expected the name of a branch, got ${JSON.stringify(run.branch)}`,
    );
  }
  const gitDir = await openRunRepository(context, run, signal);
  const ref = `refs/heads/${run.branch}`;
  const { remote, remoteConfig, refs } = await askRemote(context, run.gitRemote, [ref], signal);
  const old = refs.get(ref) ?? null;
  if (old === run.tipSha) {
    return;
  }
  if (
    old !== expectedOldSha ||
    (old !== null && !(await isAncestor(context, gitDir, old, run.tipSha, signal)))
  ) {
    throw diverged(run, old, expectedOldSha);
  }
  const { stdout, stderr, exitCode, hasCredential } = await context.git(
    {
      args: [
        "push",
        "--porcelain",
        "--no-verify",
        "--recurse-submodules=no",
        `--force-with-lease=${ref}:${old ?? ""}`,
        "--",
        remote.url,
        `${run.tipSha}:${ref}`,
      ],
      gitDir,
      remote,
      ...(remoteConfig === undefined ? {} : { remoteConfig }),
      deadlineMs: context.deadlines.pushMs,
      answers: [0, 1],
    },
    signal,
  );
  if (exitCode === 0) {
    return;
  }
  const porcelain = stdout.toString("utf8");
  const verdict = judgePush(porcelain, stderr);
  context.logger.warn("push was not taken", { runId: run.runId, verdict, porcelain, stderr });
  switch (verdict) {
    case "diverged":
      throw diverged(run, "elsewhere by now", old);
    case "refused":
      throw refused(
        run,
        [refusalReason(porcelain), remoteWords(stderr)].filter(Boolean).join("\n"),
      );
    case "remote_trouble":
      throw new SpeckitError(
        "GIT_UNREACHABLE",
        `${run.gitRemote}: the remote could not store the push`,
      );
    case "unknown":
      throw gitFailure({
        operation: "push",
        remote: run.gitRemote,
        pushes: true,
        hasCredential,
        stderr,
        exitCode,
      });
  }
}

function refused(run: GitRun, words: string): SpeckitError {
  const { code, remedy } = pushRefusal(words);
  return new SpeckitError(
    code,
    `${run.gitRemote}: the remote refused the push to ${run.branch}${shownWords(words)}`,
    remedy === undefined ? {} : { remedy },
  );
}

function diverged(run: GitRun, found: string | null, expected: string | null): SpeckitError {
  return new SpeckitError(
    "BRANCH_DIVERGED",
    `${run.gitRemote}: branch ${run.branch}: expected ${expected ?? "no such branch"}, an ancestor of ${run.tipSha}, found ${found ?? "no such branch"}`,
  );
}
