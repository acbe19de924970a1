import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitRun, LaidOverFile } from "../../ports/git-workspace.ts";
import type { JobFolders, JobSpec } from "../../ports/job-runtime.ts";
import type { GitContext } from "./context.ts";
import type { AttemptName } from "./folders.ts";
import { layOver } from "./lay-over.ts";
import { makeWorkRepository } from "./make-work-repository.ts";
import { writeNeutralAttributes } from "./neutral-attributes.ts";
import { canPack, packedBelow, packTree } from "./pack-tree.ts";
import { removeFolder } from "./remove-folder.ts";
import { openRunRepository } from "./run-repository.ts";
import { type TreeEntry, type TreePath, treeEntries } from "./tree-entries.ts";

export function attemptFolders(
  { folders }: Pick<GitContext, "folders">,
  runId: string,
  attempt: AttemptName,
): JobFolders {
  const folder = folders.attempt(runId, attempt);
  return { workspace: join(folder, "workspace"), home: join(folder, "home") };
}

/**
 * Fresh folders for an attempt. The workspace has the bytes of the tip's tree and a `.git` of its
 * own: the tip as a shallow commit on the run's branch, its objects copied, no remote. This is the
 * last time one of our git commands runs there; from here on the folder is the agent's.
 *
 * One that may be packed is not checked out: its tree is an archive, and only `.git` and what is laid
 * over are files. To make 50,000 files takes seconds, most of them the kernel's, and whoever unpacks
 * the archive makes them anyway.
 *
 * Submodules are empty folders, large files of LFS are their pointers: nothing else is fetched.
 */
export async function createAttempt(
  context: GitContext,
  run: GitRun,
  attempt: AttemptName & {
    readonly laidOver?: readonly LaidOverFile[];
    readonly mayPack?: boolean;
  },
  signal: AbortSignal,
): Promise<JobFolders & Pick<JobSpec, "packed">> {
  const folders = attemptFolders(context, run.runId, attempt);
  await removeFolder(context.folders.attempt(run.runId, attempt));
  const repository = await openRunRepository(context, run, signal);
  const tree = await treeEntries(context, repository, run.tipSha, signal);
  checkSize(context, run, tree);
  const packed =
    attempt.mayPack === true && canPack(tree)
      ? packedBelow(context.folders.attempt(run.runId, attempt))
      : undefined;
  const workTree = packed?.folder ?? folders.workspace;
  await mkdir(workTree, { recursive: true });
  await mkdir(folders.home, { mode: 0o700 });

  const gitDir = join(workTree, ".git");
  const inWorkspace = (args: readonly [string, ...string[]]) =>
    context.git({ args, gitDir, workTree }, signal);
  await makeWorkRepository(gitDir, {
    branch: run.branch,
    commit: run.tipSha,
    identity: context.identity,
  });
  await copyCommit(context, repository, gitDir, run.tipSha, signal);
  await writeNeutralAttributes(gitDir);
  if (packed === undefined) {
    await inWorkspace(["read-tree", "-m", "-u", run.tipSha]);
  } else {
    await inWorkspace(["read-tree", run.tipSha]);
    await inWorkspace(packTree(run.tipSha, packed.archive));
  }
  for (const path of await layOver(workTree, tree, attempt.laidOver ?? [])) {
    // For agents that ask git what has changed: not this.
    await inWorkspace(["update-index", "--skip-worktree", "--", path]);
  }
  return packed === undefined ? folders : { ...folders, packed };
}

/** Refuses a tree that could not be harvested, before it fills the disk. */
function checkSize(context: GitContext, run: GitRun, tree: ReadonlyMap<TreePath, TreeEntry>): void {
  let bytes = 0;
  for (const entry of tree.values()) {
    bytes += entry.bytes;
  }
  const { workspaceMaxBytes } = context.limits;
  if (bytes > workspaceMaxBytes) {
    throw new SpeckitError(
      "WORKSPACE_TOO_LARGE",
      `${run.gitRemote}: the files of commit ${run.tipSha} have ${bytes} bytes, expected at most ${workspaceMaxBytes}`,
      { remedy: "Raise the workspace's limit." },
    );
  }
}

/** Copies one commit without its history, as a shallow clone would, with no transport between. */
async function copyCommit(
  context: GitContext,
  from: string,
  to: string,
  commit: string,
  signal: AbortSignal,
): Promise<void> {
  const objects = await context.git(
    { args: ["rev-list", "--objects", "--no-object-names", "--no-walk", commit], gitDir: from },
    signal,
  );
  await context.git(
    {
      // No search for new deltas: the pack lives as long as the attempt.
      args: ["pack-objects", "--quiet", "--window=0", join(to, "objects", "pack", "pack")],
      gitDir: from,
      input: objects.stdout,
    },
    signal,
  );
  await writeFile(join(to, "shallow"), `${commit}\n`);
}
