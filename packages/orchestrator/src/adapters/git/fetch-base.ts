import { isBranchName } from "../../domain/branch-name.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitWorkspace, RemoteFacts } from "../../ports/git-workspace.ts";
import type { GitContext } from "./context.ts";
import { fetchForRun } from "./fetch-for-run.ts";
import { objectFormatOf } from "./folders.ts";
import { isAncestor } from "./is-ancestor.ts";
import { askRemote, type RemoteAnswer } from "./remote-refs.ts";
import { openCache, rememberBranch } from "./repository-cache.ts";

type Request = Parameters<GitWorkspace["fetchBase"]>[0];

/**
 * Asks the remote once where it stands, and brings the base branch into the cache. The base commit
 * is the one that was fetched: the branch may have moved since the question.
 *
 * A branch of the run that could never be pushed to ends the run here, before an agent has worked
 * for it: later commits only stand on the base.
 *
 * @throws SpeckitError `REPOSITORY_EMPTY`, `BASE_BRANCH_NOT_FOUND`, `BRANCH_DIVERGED`, and what the
 * failure table has for a remote that does not answer
 */
export async function fetchBase(
  context: GitContext,
  request: Request,
  signal: AbortSignal,
): Promise<RemoteFacts> {
  checkBranchName("branch", request.branch);
  if (request.baseBranch !== undefined) {
    checkBranchName("baseBranch", request.baseBranch);
  }
  const branchRef = `refs/heads/${request.branch}`;
  const names = ["HEAD", branchRef];
  if (request.baseBranch !== undefined) {
    names.push(`refs/heads/${request.baseBranch}`);
  }
  const from = await askRemote(context, request.gitRemote, names, signal);
  const isThere = from.refs.has(branchRef);
  const { baseBranch, sha } = await baseOf(
    context,
    request.startsFromBranch === true && isThere
      ? { ...request, baseBranch: request.branch }
      : request,
    from,
    signal,
  );
  const cache = await openCache(context, request.gitRemote, objectFormatOf(sha), signal);
  const source = `refs/heads/${baseBranch}`;
  const baseSha = await fetchForRun(context, cache, { runId: request.runId, source, from }, signal);
  await rememberBranch(context, cache, { name: baseBranch, sha: baseSha }, signal);
  const branchOldSha = from.refs.get(branchRef) ?? null;
  if (branchOldSha !== null && !(await isAncestor(context, cache, branchOldSha, baseSha, signal))) {
    throw new SpeckitError(
      "BRANCH_DIVERGED",
      `${request.gitRemote}: branch ${request.branch} stands at ${branchOldSha}, expected a commit of ${baseBranch}`,
    );
  }
  return { baseBranch, baseSha, branchOldSha };
}

function checkBranchName(field: string, name: string): void {
  if (!isBranchName(name)) {
    throw new SpeckitError(
      "REQUEST_INVALID",
      `${field}: expected the name of a branch, got ${JSON.stringify(name.slice(0, 200))}`,
    );
  }
}

async function baseOf(
  context: GitContext,
  request: Request,
  { refs, headRef }: RemoteAnswer,
  signal: AbortSignal,
): Promise<{ readonly baseBranch: string; readonly sha: string }> {
  const headBranch = headRef?.startsWith("refs/heads/")
    ? headRef.slice("refs/heads/".length)
    : undefined;
  const baseBranch = request.baseBranch ?? headBranch;
  const sha = refs.get(
    request.baseBranch === undefined ? "HEAD" : `refs/heads/${request.baseBranch}`,
  );
  if (sha !== undefined && baseBranch !== undefined) {
    checkBranchName("default branch of the remote", baseBranch);
    return { baseBranch, sha };
  }
  if (refs.size === 0) {
    const all = await askRemote(context, request.gitRemote, ["refs/heads/*"], signal);
    if (all.refs.size === 0) {
      throw new SpeckitError("REPOSITORY_EMPTY", `${request.gitRemote}: the remote has no commit`);
    }
  }
  throw new SpeckitError(
    "BASE_BRANCH_NOT_FOUND",
    request.baseBranch === undefined
      ? `${request.gitRemote}: the remote's HEAD names no branch that exists, and no baseBranch was given`
      : `${request.gitRemote}: expected a branch ${request.baseBranch}, found none`,
  );
}
