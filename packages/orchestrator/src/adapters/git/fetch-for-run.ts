import { randomBytes } from "node:crypto";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitContext } from "./context.ts";
import type { RemoteAnswer } from "./remote-refs.ts";

/** A new ref of the cache that belongs to a run. */
export function runRef(runId: string): string {
  return `refs/speckit/${runId}/${randomBytes(8).toString("hex")}`;
}

/**
 * Fetches one ref (or commit) for a run.
 *
 * @returns the commit it stands for
 * @throws SpeckitError `BASE_BRANCH_NOT_FOUND` for a shallow remote: git fetches from one with exit
 * code 0 and writes no ref, so that no history has a hole
 */
export async function fetchForRun(
  context: GitContext,
  cache: string,
  fetch: FetchForRun,
  signal: AbortSignal,
): Promise<string> {
  const ref = await fetchRefs(context, cache, fetch, signal);
  const { exitCode, stdout } = await context.git(
    {
      args: ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`],
      gitDir: cache,
      answers: [0, 1],
    },
    signal,
  );
  if (exitCode === 1) {
    throw new SpeckitError(
      "BASE_BRANCH_NOT_FOUND",
      `${fetch.from.remote.gitRemote}: the history of ${fetch.source} is not whole there: a shallow clone`,
      { remedy: "Run `git fetch --unshallow` in it, or name the repository it was cloned from." },
    );
  }
  return stdout.toString("utf8").trim();
}

interface FetchForRun {
  readonly runId: string;
  /** A full ref name, a commit, or `refs/heads/*`. */
  readonly source: string;
  readonly from: RemoteAnswer;
}

/** @returns the ref it was fetched into, ending in `*` when the source does */
export async function fetchRefs(
  context: GitContext,
  cache: string,
  { runId, source, from }: FetchForRun,
  signal: AbortSignal,
): Promise<string> {
  const ref = `${runRef(runId)}${source.endsWith("/*") ? "/*" : ""}`;
  await context.git(
    {
      args: [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--",
        from.remote.url,
        `+${source}:${ref}`,
      ],
      gitDir: cache,
      remote: from.remote,
      ...(from.remoteConfig === undefined ? {} : { remoteConfig: from.remoteConfig }),
      deadlineMs: context.deadlines.fetchMs,
    },
    signal,
  );
  return ref;
}
