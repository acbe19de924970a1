import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitContext } from "./context.ts";
import { fetchForRun, fetchRefs, runRef } from "./fetch-for-run.ts";
import { type ObjectFormat, objectFormatOf, sha256 } from "./folders.ts";
import { isSign } from "./git-failures.ts";
import { askRemote, type RemoteAnswer } from "./remote-refs.ts";

/**
 * The cache of a remote: a bare repository that only ever fetches from it. Nothing an agent made
 * enters it, so its objects can be lent to every run.
 *
 *     cache/<sha256 of gitRemote>.git
 *       refs/speckit/<runId>/<random>   what a live run needs; one per fetch, removed with the run
 *       refs/base/<branch hash>         the last seen commit of a branch: what the next fetch need
 *                                       not bring again
 *
 * Any number of processes of this machine use it at once. Each fetch writes a ref of its own name, so
 * none waits for another's lock, and a lock left by a killed one is in nobody's way. Git writes a ref
 * only when everything it reaches is there: a run's ref is the proof that a fetch was completed,
 * the mere presence of a commit is not. No command here ever packs or prunes.
 *
 * Cut at any point, what is left is some unreferenced objects or a temporary folder. Deleting the
 * cache costs time: each operation looks for its base and fetches it when it is not there.
 */
export async function openCache(
  context: GitContext,
  gitRemote: string,
  format: ObjectFormat,
  signal: AbortSignal,
): Promise<string> {
  const cache = context.folders.cache(gitRemote, format);
  if (await isRepository(cache)) {
    return cache;
  }
  const part = `${cache}.${randomBytes(8).toString("hex")}.part`;
  await mkdir(part, { recursive: true });
  try {
    await context.git(
      {
        args: ["init", "--quiet", "--bare", "--template=", `--object-format=${format}`],
        gitDir: part,
      },
      signal,
    );
    await rename(part, cache);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    // Another process was first: a folder that is not empty is never replaced by a rename.
    if (!(await isRepository(cache))) {
      throw error;
    }
  }
  return cache;
}

async function isRepository(folder: string): Promise<boolean> {
  return await stat(join(folder, "HEAD")).then(
    () => true,
    () => false,
  );
}

/** Lets later fetches start from this commit. Two at once, or a lock left behind, cost only time. */
export async function rememberBranch(
  context: GitContext,
  cache: string,
  branch: { readonly name: string; readonly sha: string },
  signal: AbortSignal,
): Promise<void> {
  const ref = `refs/base/${sha256(branch.name).slice(0, 16)}`;
  const { exitCode } = await context.git(
    { args: ["update-ref", ref, branch.sha], gitDir: cache, answers: [0, 1, 128] },
    signal,
  );
  if (exitCode !== 0) {
    const lock = join(cache, `${ref}.lock`);
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > STALE_LOCK_MS) {
      await rm(lock, { force: true });
    }
  }
}

const STALE_LOCK_MS = 600_000;

/**
 * The cache of a run's remote, with the run's base commit in it: fetched again when it was lost, or
 * when this machine has never had it.
 */
export async function cacheWithBase(
  context: GitContext,
  run: { readonly runId: string; readonly gitRemote: string; readonly baseSha: string },
  signal: AbortSignal,
): Promise<{ readonly cache: string; readonly wasLost: boolean }> {
  const cache = await openCache(context, run.gitRemote, objectFormatOf(run.baseSha), signal);
  if (await holdsForRun(context, cache, run.runId, run.baseSha, signal)) {
    return { cache, wasLost: false };
  }
  const from = await askRemote(context, run.gitRemote, ["HEAD"], signal);
  try {
    await fetchForRun(context, cache, { runId: run.runId, source: run.baseSha, from }, signal);
  } catch (error) {
    if (!isSign(error, "not_served")) {
      throw error;
    }
    await fetchByBranches(context, cache, run, from, signal);
  }
  return { cache, wasLost: true };
}

/** For a server that gives commits only by the names of branches. */
async function fetchByBranches(
  context: GitContext,
  cache: string,
  run: { readonly runId: string; readonly gitRemote: string; readonly baseSha: string },
  from: RemoteAnswer,
  signal: AbortSignal,
): Promise<void> {
  const prefix = await fetchRefs(
    context,
    cache,
    { runId: run.runId, source: "refs/heads/*", from },
    signal,
  );
  const { exitCode, stdout } = await context.git(
    {
      args: ["for-each-ref", "--count=1", `--contains=${run.baseSha}`, "--", prefix.slice(0, -1)],
      gitDir: cache,
      answers: [0, 129],
    },
    signal,
  );
  if (exitCode !== 0 || stdout.length === 0) {
    throw new SpeckitError(
      "BASE_BRANCH_NOT_FOUND",
      `${run.gitRemote}: the run's base commit ${run.baseSha} is on no branch any more`,
      { remedy: "The branch was rewritten during the run: submit the request again." },
    );
  }
  await context.git(
    { args: ["update-ref", runRef(run.runId), run.baseSha], gitDir: cache },
    signal,
  );
}

/**
 * Whether a fetch for the run has brought this commit, told by the files of its refs: no command packs
 * them. Not whether the commit is still there, as {@link cacheWithBase} makes sure of.
 */
export async function hasRefForRun(cache: string, runId: string, sha: string): Promise<boolean> {
  try {
    const folder = join(cache, "refs", "speckit", runId);
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) {
        const content = await readFile(join(file.parentPath, file.name), "latin1");
        if (content.trim() === sha) {
          return true;
        }
      }
    }
  } catch {
    // Not there, or being removed: whoever asks looks more closely then.
  }
  return false;
}

async function holdsForRun(
  context: GitContext,
  cache: string,
  runId: string,
  sha: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { stdout } = await context.git(
    { args: ["for-each-ref", "--format=%(objectname)", `refs/speckit/${runId}/`], gitDir: cache },
    signal,
  );
  return stdout.toString("utf8").split("\n").includes(sha);
}
