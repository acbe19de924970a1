import { SpeckitError } from "../../domain/speckit-error.ts";
import type { GitRun, GitWorkspace, Harvest } from "../../ports/git-workspace.ts";
import { type Change, type Comparison, compareTree } from "./compare-tree.ts";
import type { GitContext } from "./context.ts";
import { attemptFolders } from "./create-attempt.ts";
import { objectFormatOf } from "./folders.ts";
import { ignoredPaths, scratchFolder } from "./ignored-paths.ts";
import { importBlobs } from "./import-blobs.ts";
import { judgeEntry } from "./judge-entry.ts";
import { withLaidOver } from "./lay-over.ts";
import { makeCommit } from "./make-commit.ts";
import { type OpenFolder, openFolder } from "./open-beneath.ts";
import { readHead } from "./read-head.ts";
import { readTexts } from "./read-texts.ts";
import { openRunRepository } from "./run-repository.ts";
import { pathBytes, pathOf, type TreeEntry, type TreePath, treeEntries } from "./tree-entries.ts";
import { type Walk, walkWorkspace } from "./walk-workspace.ts";

type Attempt = Parameters<GitWorkspace["harvest"]>[1];

const MAX_FINDINGS = 50;
/** Folders of features in a project's `specs/`, by their names. */
const FEATURE = /^specs\/(?:\d{3,}|\d{8}-\d{6})-[^/]+\//;

/**
 * Takes what an agent left. Everything in the workspace is the agent's, its `.git` above all: a git
 * command there would run its hooks, its file system monitor and its filters, as us. So none does:
 *
 * 1. We list the workspace ourselves, following nothing ({@link walkWorkspace});
 * 2. compare it with the tip's tree, hashing files as git would ({@link compareTree});
 * 3. leave out untracked paths that `.gitignore` ignores, asked in a scratch folder of ours
 *    ({@link ignoredPaths}), but for folders of features: a project may ignore `specs/`;
 * 4. refuse what is never committed, if the agent made or changed it ({@link judgeEntry});
 * 5. read what is left once, into the run's own repository ({@link importBlobs}).
 *
 * Cut at any point, nothing has happened but some unreferenced objects in a disposable repository.
 */
export async function harvest(
  context: GitContext,
  run: GitRun,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Harvest> {
  const gitDir = await openRunRepository(context, run, signal);
  const tree = await treeEntries(context, gitDir, run.tipSha, signal);
  const { workspace } = attemptFolders(context, run.runId, attempt);
  await using root = disposable(await openWorkspace(workspace, attempt));
  return await take(context, { run, attempt, gitDir, tree, root: root.folder }, signal);
}

/** An agent can remove its workspace, or put something else in its place: its own doing, not a fault. */
async function openWorkspace(workspace: string, attempt: Attempt): Promise<OpenFolder> {
  try {
    return await openFolder(Buffer.from(workspace));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR" && code !== "ELOOP") {
      throw error;
    }
    throw new SpeckitError(
      "WORKSPACE_REFUSED",
      `${attempt.phase} attempt ${attempt.attempt} left no workspace`,
      {
        findings: [
          { check: "workspace.kind", path: ".", expected: "the folder it began in", found: code },
        ],
      },
    );
  }
}

interface Source {
  readonly run: GitRun;
  readonly attempt: Attempt;
  readonly gitDir: string;
  readonly tree: ReadonlyMap<TreePath, TreeEntry>;
  readonly root: OpenFolder;
}

async function take(context: GitContext, source: Source, signal: AbortSignal): Promise<Harvest> {
  const { run, attempt, gitDir, tree, root } = source;
  const format = objectFormatOf(run.tipSha);
  const walk = await walkWorkspace(root, context.limits, signal);
  const given = withLaidOver(tree, attempt.laidOver ?? [], run.tipSha);
  const compared = await compareTree(root, walk, given, format, signal);
  const added = await addedPaths(context, source, walk, compared, signal);
  const asked: Change[] = [
    ...compared.changes,
    ...added.flatMap((path): readonly Change[] => {
      const entry = walk.entries.get(path);
      return entry === undefined ? [] : [{ path, kind: "added", entry }];
    }),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const kept = asked.filter((change) => change.kind !== "removed");
  refuse(attempt, kept);
  checkLimits(context, kept);
  const secrets = attempt.secrets ?? [];
  const taken = await importBlobs(
    context,
    { gitDir, root, format, changes: kept, secrets },
    signal,
  );

  // A laid-over file that the agent has put back to what the tree has.
  const isPutBack = ({ path, kind }: Change) =>
    kind === "changed" && isSameEntry(taken.get(path), tree.get(path));
  const changes = asked.filter((change) => !isPutBack(change));
  const after = new Map(tree);
  for (const { path, kind } of changes) {
    const entry = taken.get(path);
    if (kind === "removed") {
      after.delete(path);
    } else if (entry !== undefined) {
      after.set(path, entry);
    }
  }
  const texts = await readTexts(
    context,
    {
      gitDir,
      root,
      tree: after,
      featureDirectory: attempt.featureDirectory,
      templates: `${projectPrefix(attempt)}.specify/templates/`,
      featureJson: featureJsonOf(attempt),
    },
    signal,
  );
  return {
    featureDirectory: attempt.featureDirectory,
    read: (path) => texts.get(path),
    changed: changes.map(({ path, kind }) => ({ path: pathBytes(path).toString("utf8"), kind })),
    head: await readHead(root),
    commit: (about) => makeCommit(context, { run, gitDir, changes, taken, about }, signal),
  };
}

async function addedPaths(
  context: GitContext,
  { run, attempt, gitDir, tree, root }: Source,
  walk: Walk,
  { untracked }: Comparison,
  signal: AbortSignal,
): Promise<readonly TreePath[]> {
  const feature = pathOf(`${attempt.featureDirectory}/`);
  const featureJson = pathOf(featureJsonOf(attempt));
  const prefix = pathOf(projectPrefix(attempt));
  const isOfFeature = (path: TreePath) =>
    path.startsWith(feature) ||
    (path.startsWith(prefix) && FEATURE.test(path.slice(prefix.length)));
  const asked = untracked.filter((path) => path !== featureJson && !isOfFeature(path));
  const scratch = scratchFolder(context.folders.attempt(run.runId, attempt));
  const ignored = await ignoredPaths(
    context,
    { gitDir, root, walk, tracked: tree.keys(), untracked: asked, scratch },
    signal,
  );
  return untracked.filter((path) => path !== featureJson && !ignored.has(path));
}

function isSameEntry(one: TreeEntry | undefined, other: TreeEntry | undefined): boolean {
  return one !== undefined && one.oid === other?.oid && one.mode === other.mode;
}

function projectPrefix({ projectDirectory = "" }: Attempt): string {
  return projectDirectory === "" ? "" : `${projectDirectory}/`;
}

/** Written by Spec Kit's scripts for themselves, never part of a commit unless the base has it. */
function featureJsonOf(attempt: Attempt): string {
  return `${projectPrefix(attempt)}.specify/feature.json`;
}

function refuse(attempt: Attempt, changes: readonly Extract<Change, { entry: unknown }>[]): void {
  const findings = changes.flatMap(({ path, entry }) => judgeEntry(path, entry) ?? []);
  if (findings.length > 0) {
    throw new SpeckitError(
      "WORKSPACE_REFUSED",
      `${attempt.phase} attempt ${attempt.attempt} left ${findings.length === 1 ? "a path that is" : `${findings.length} paths that are`} never committed`,
      { findings: findings.slice(0, MAX_FINDINGS) },
    );
  }
}

function checkLimits(
  { limits }: GitContext,
  changes: readonly Extract<Change, { entry: unknown }>[],
): void {
  if (changes.length > limits.changedMaxFiles) {
    throw new SpeckitError(
      "WORKSPACE_TOO_LARGE",
      `The phase added or changed ${changes.length} files, expected at most ${limits.changedMaxFiles}`,
    );
  }
  let bytes = 0;
  for (const { entry } of changes) {
    bytes += entry.kind === "file" ? entry.bytes : 0;
  }
  if (bytes > limits.changedMaxBytes) {
    throw new SpeckitError(
      "WORKSPACE_TOO_LARGE",
      `The files the phase added or changed have ${bytes} bytes, expected at most ${limits.changedMaxBytes}`,
    );
  }
}

function disposable(folder: OpenFolder) {
  return { folder, [Symbol.asyncDispose]: () => folder.handle.close() };
}
