import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { GitRun, GitWorkspace, RunDiff } from "../../ports/git-workspace.ts";
import { baseFiles, tipFiles } from "./base-files.ts";
import { signingCommand } from "./commit-signing.ts";
import type { GitContext } from "./context.ts";
import { attemptFolders, createAttempt } from "./create-attempt.ts";
import { fetchBase } from "./fetch-base.ts";
import { type Folders, foldersBelow } from "./folders.ts";
import { gitRunner } from "./git-command.ts";
import { harvest } from "./harvest.ts";
import { DEFAULT_GIT_DEADLINES, DEFAULT_GIT_LIMITS, type GitWorkspaceOptions } from "./options.ts";
import { diffStat, patchBetween } from "./patch-between.ts";
import { pushBranch } from "./push-branch.ts";
import { removeFolder } from "./remove-folder.ts";
import { runChanges } from "./run-changes.ts";
import { openRunRepository } from "./run-repository.ts";
import { runsHere } from "./runs-here.ts";
import { systemFailure } from "./system-failure.ts";

const RUN_PATCH_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Git by its command line, with everything below one folder of this machine:
 *
 *     cache/<sha256 of gitRemote>.git         lent to all runs of a remote (repository-cache.ts)
 *     runs/<runId>/git                        the run's own repository (run-repository.ts)
 *     runs/<runId>/<phase>-<attempt>/         workspace and home, the agent's (create-attempt.ts)
 *
 * Any number of processes may share the folder. All of it can be deleted while no run is live, and
 * `cache` at any time.
 *
 * Rejects with a SpeckitError of a git code, or with the signal's own reason once it aborts.
 */
export function gitWorkspace(options: GitWorkspaceOptions): GitWorkspace {
  const folders = foldersBelow(options.stateDir);
  const { environment = process.env, signing } = options;
  const deadlines = { ...DEFAULT_GIT_DEADLINES, ...options.deadlines };
  const context: GitContext = {
    git: gitRunner({
      stateDir: options.stateDir,
      credentials: options.credentials,
      ...(options.ssh === undefined ? {} : { ssh: options.ssh }),
      deadlines,
      logger: options.logger,
      environment,
    }),
    folders,
    identity: options.identity,
    trailers: options.trailers ?? [],
    signingCommand: async () => signing && signingCommand(signing, environment),
    allowFile: options.allowFile,
    limits: { ...DEFAULT_GIT_LIMITS, ...options.limits },
    deadlines,
    logger: options.logger,
  };
  /** Runs an operation with the state folder in place; what it throws is of the catalogue. */
  async function operate<T>(
    operation: string,
    signal: AbortSignal | undefined,
    run: (context: GitContext) => Promise<T>,
  ): Promise<T> {
    try {
      await mkdir(options.stateDir, { recursive: true, mode: 0o700 });
      return await run(context);
    } catch (error) {
      signal?.throwIfAborted();
      throw systemFailure(operation, error);
    }
  }
  return {
    fetchBase: (request, signal) =>
      operate("fetch the base", signal, (context) => fetchBase(context, request, signal)),
    baseFiles: (run, signal) =>
      operate("read the base", signal, (context) => baseFiles(context, run, signal)),
    tipFiles: (run, signal) =>
      operate("read the tip", signal, (context) => tipFiles(context, run, signal)),
    createAttempt: (run, attempt, signal) =>
      operate("create a workspace", signal, (context) =>
        createAttempt(context, run, attempt, signal),
      ),
    attemptFolders: (runId, attempt) => attemptFolders({ folders }, runId, attempt),
    harvest: (run, attempt, signal) =>
      operate("read the workspace", signal, async (context) => {
        const taken = await harvest(context, run, attempt, signal);
        return {
          ...taken,
          commit: (about) => operate("commit", signal, () => taken.commit(about)),
        };
      }),
    diff: (run, signal) =>
      operate("measure the run", signal, (context) => runDiff(context, run, signal)),
    changes: (run, signal) =>
      operate("list the run's changes", signal, async (context) => {
        const all = await runChanges(context, run, signal);
        return {
          ...all,
          read: (contents, reading) =>
            operate("read the run's changes", reading, () => all.read(contents, reading)),
        };
      }),
    push: (run, expectedOldSha, signal) =>
      operate("push", signal, (context) => pushBranch(context, run, expectedOldSha, signal)),
    removeAttempt: (runId, attempt) =>
      operate("remove an attempt", undefined, () => removeFolder(folders.attempt(runId, attempt))),
    runsHere: () => operate("list the runs", undefined, () => runsHere(folders)),
    removeRun: (runId, gitRemote) =>
      operate("remove a run", undefined, () => removeRun(folders, runId, gitRemote)),
  };
}

async function runDiff(context: GitContext, run: GitRun, signal: AbortSignal): Promise<RunDiff> {
  const gitDir = await openRunRepository(context, run, signal);
  const between = { gitDir, from: run.baseSha, to: run.tipSha };
  const whole = { ...between, binary: true, maxBytes: RUN_PATCH_MAX_BYTES };
  return {
    stat: await diffStat(context, between, signal),
    patch: await patchBetween(context, whole, signal),
  };
}

async function removeRun(folders: Folders, runId: string, gitRemote: string): Promise<void> {
  await removeFolder(folders.run(runId));
  for (const format of ["sha1", "sha256"] as const) {
    // A ref is a file as long as nobody packs them, and nothing here does.
    const refs = join(folders.cache(gitRemote, format), "refs", "speckit", runId);
    await rm(refs, { recursive: true, force: true });
  }
}
