import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";
import type { GitRun } from "../../ports/git-workspace.ts";
import type { GitContext } from "./context.ts";
import { objectFormatOf } from "./folders.ts";
import { cacheWithBase, hasRefForRun } from "./repository-cache.ts";

/**
 * A run's own bare repository: the only place commits are made and pushed from. It borrows the
 * cache's objects and keeps what the run adds.
 *
 *     runs/<runId>/git
 *       objects/info/alternates   the cache's objects
 *       refs/tips/<sha>           a tip of the run, once everything it needs is here
 *
 * It is disposable: base from the cache (or the remote) and the checkpoint make it again, with the
 * same ids. Everything done to it only adds: a tip has a ref of its own name, written last, so a cut
 * leaves either the tip or some loose objects, and a worker that lost its lease and its successor on
 * the same machine do not disturb each other. Only a repository that cannot be used is removed; who
 * still worked in it fails with `GIT_FAILED` and is made anew as well.
 */
export async function openRunRepository(
  context: GitContext,
  run: GitRun,
  signal: AbortSignal,
): Promise<string> {
  const gitDir = context.folders.runRepository(run.runId);
  if ((await borrowsBase(context, gitDir, run)) && (await holdsTip(context, gitDir, run, signal))) {
    return gitDir;
  }
  const { cache, wasLost } = await cacheWithBase(context, run, signal);
  // Git does not store what it can borrow: of a lost cache, that may have been more than the base.
  const isUsable = !wasLost && (await borrowsFrom(cache, gitDir));
  if (isUsable && (await holdsTip(context, gitDir, run, signal))) {
    return gitDir;
  }
  const isMore = run.tipSha !== run.baseSha;
  if (isMore && isUsable) {
    try {
      await loadCheckpoint(context, gitDir, run, signal);
      return gitDir;
    } catch (error) {
      signal.throwIfAborted();
      context.logger.info("run repository is made anew", { runId: run.runId, cause: error });
    }
  }
  await rm(gitDir, { recursive: true, force: true });
  await makeRepository(context, cache, gitDir, run, signal);
  if (isMore) {
    await loadCheckpoint(context, gitDir, run, signal);
  }
  return gitDir;
}

export function tipRef(sha: string): string {
  return `refs/tips/${sha}`;
}

/** By a look at files alone: it is asked before every operation, and is nearly always so. */
async function borrowsBase({ folders }: GitContext, gitDir: string, run: GitRun): Promise<boolean> {
  const cache = folders.cache(run.gitRemote, objectFormatOf(run.baseSha));
  return (await borrowsFrom(cache, gitDir)) && (await hasRefForRun(cache, run.runId, run.baseSha));
}

/** False when there is no repository, or the state folder was moved since it was made. */
async function borrowsFrom(cache: string, gitDir: string): Promise<boolean> {
  const borrowed = await readFile(alternates(gitDir), "utf8").catch(() => undefined);
  return borrowed === `${join(cache, "objects")}\n`;
}

async function holdsTip(
  context: GitContext,
  gitDir: string,
  run: GitRun,
  signal: AbortSignal,
): Promise<boolean> {
  const name = run.tipSha === run.baseSha ? run.baseSha : tipRef(run.tipSha);
  const { exitCode } = await context.git(
    { args: ["rev-parse", "--verify", "--quiet", `${name}^{tree}`], gitDir, answers: [0, 1, 128] },
    signal,
  );
  return exitCode === 0;
}

function alternates(gitDir: string): string {
  return join(gitDir, "objects", "info", "alternates");
}

async function makeRepository(
  context: GitContext,
  cache: string,
  gitDir: string,
  run: GitRun,
  signal: AbortSignal,
): Promise<void> {
  const part = `${gitDir}.${randomBytes(8).toString("hex")}.part`;
  await mkdir(part, { recursive: true });
  const format = objectFormatOf(run.baseSha);
  await context.git(
    {
      args: ["init", "--quiet", "--bare", "--template=", `--object-format=${format}`],
      gitDir: part,
    },
    signal,
  );
  await mkdir(join(part, "objects", "info"), { recursive: true });
  await writeFile(alternates(part), `${join(cache, "objects")}\n`);
  await rename(part, gitDir);
}

async function loadCheckpoint(
  context: GitContext,
  gitDir: string,
  run: GitRun,
  signal: AbortSignal,
): Promise<void> {
  const bundle = await run.loadCheckpoint();
  if (bundle === undefined) {
    throw new SpeckitError(
      "GIT_FAILED",
      `Run ${run.runId}: expected a checkpoint for commit ${run.tipSha}, got none`,
    );
  }
  const file = join(gitDir, `checkpoint-${randomBytes(8).toString("hex")}.bundle`);
  const ref = tipRef(run.tipSha);
  try {
    await writeFile(file, bundle, { mode: 0o600 });
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
  try {
    await context.git(
      {
        args: [
          "fetch",
          "--quiet",
          "--no-tags",
          "--no-write-fetch-head",
          "--",
          file,
          `${ref}:${ref}`,
        ],
        gitDir,
        env: { GIT_ALLOW_PROTOCOL: "file" },
      },
      signal,
    );
  } catch (error) {
    if (!isSpeckitError(error) || error.code === "DISK_FULL") {
      throw error;
    }
    throw uselessCheckpoint(run, error);
  } finally {
    await rm(file, { force: true });
  }
}

function uselessCheckpoint(run: GitRun, cause: unknown): SpeckitError {
  return new SpeckitError(
    "GIT_FAILED",
    `Run ${run.runId}: the stored checkpoint does not give commit ${run.tipSha}`,
    { cause },
  );
}
