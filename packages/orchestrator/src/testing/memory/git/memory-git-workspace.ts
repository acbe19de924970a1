import { secretMasker } from "../../../domain/secret-forms.ts";
import { SpeckitError } from "../../../domain/speckit-error.ts";
import type {
  BaseFiles,
  GitRun,
  GitWorkspace,
  Harvest,
  LaidOverFile,
  RemoteFacts,
  TreeChange,
} from "../../../ports/git-workspace.ts";
import { compare } from "./compare-trees.ts";
import { memoryChanges } from "./memory-changes.ts";
import {
  type Commit,
  type Commits,
  lineFrom,
  type MemoryRemote,
  type MemoryRemotes,
  makeCommit,
  type Tree,
} from "./memory-remotes.ts";

/** What agents get to see: files by path, by the folder of the workspace. */
export type Workspaces = Map<string, Map<string, string>>;

/**
 * Git on one machine, in memory: its folders are lost with it. Commits are made of what they hold, so
 * every machine makes the same one of the same tree; a run goes on from its checkpoint alone.
 */
export interface MemoryMachine {
  readonly git: GitWorkspace;
  readonly workspaces: Workspaces;
}

interface OwnRun {
  /** The run's own repository: what was fetched, and what was made of its agents' trees. */
  readonly commits: Commits;
  readonly folders: Set<string>;
}

export function memoryMachine(remotes: MemoryRemotes): MemoryMachine {
  const workspaces: Workspaces = new Map();
  const runs = new Map<string, OwnRun>();

  function ownRun(runId: string): OwnRun {
    const known = runs.get(runId);
    if (known !== undefined) {
      return known;
    }
    const made = { commits: new Map(), folders: new Set<string>() };
    runs.set(runId, made);
    return made;
  }

  /** The run's repository with its base and its tip in it, from the remote and the checkpoint. */
  async function withTip(run: GitRun, signal: AbortSignal): Promise<OwnRun> {
    signal.throwIfAborted();
    const own = ownRun(run.runId);
    const base = remoteOf(remotes, run.gitRemote).commits.get(run.baseSha);
    if (base === undefined) {
      throw new SpeckitError("GIT_FAILED", `${run.gitRemote} has no commit ${run.baseSha}`);
    }
    own.commits.set(base.sha, base);
    if (lineFrom(own.commits, run.baseSha, run.tipSha) === undefined) {
      const bundle = await run.loadCheckpoint();
      signal.throwIfAborted();
      for (const commit of bundle === undefined ? [] : unbundle(bundle)) {
        own.commits.set(commit.sha, commit);
      }
    }
    if (lineFrom(own.commits, run.baseSha, run.tipSha) === undefined) {
      throw new SpeckitError("GIT_FAILED", `Run ${run.runId}: no checkpoint has ${run.tipSha}`);
    }
    return own;
  }

  const git: GitWorkspace = {
    async fetchBase(request, signal): Promise<RemoteFacts> {
      const { runId, gitRemote, branch, startsFromBranch = false } = request;
      signal.throwIfAborted();
      const remote = remoteOf(remotes, gitRemote);
      const own = startsFromBranch && remote.branches.has(branch) ? branch : undefined;
      const name = own ?? request.baseBranch ?? remote.defaultBranch;
      const baseSha = remote.branches.get(name);
      if (baseSha === undefined) {
        throw new SpeckitError("BASE_BRANCH_NOT_FOUND", `${gitRemote} has no branch ${name}`);
      }
      const branchOldSha = remote.branches.get(branch) ?? null;
      if (branchOldSha !== null && lineFrom(remote.commits, branchOldSha, baseSha) === undefined) {
        throw new SpeckitError("BRANCH_DIVERGED", `${branch} stands beside ${name}`);
      }
      ownRun(runId);
      return { baseBranch: name, baseSha, branchOldSha };
    },
    async baseFiles(run, signal): Promise<BaseFiles> {
      const own = await withTip({ ...run, tipSha: run.baseSha }, signal);
      return filesOf(treeOf(own.commits, run.baseSha));
    },
    async tipFiles(run, signal): Promise<BaseFiles> {
      const own = await withTip(run, signal);
      return filesOf(treeOf(own.commits, run.tipSha));
    },
    async createAttempt(run, { phase, attempt, laidOver = [] }, signal) {
      const own = await withTip(run, signal);
      const folder = folderOf(run.runId, phase, attempt);
      workspaces.set(folder, new Map(withLaidOver(treeOf(own.commits, run.tipSha), laidOver)));
      own.folders.add(folder);
      return { workspace: folder, home: `${folder}/home` };
    },
    attemptFolders: (runId, { phase, attempt }) => {
      const folder = folderOf(runId, phase, attempt);
      return { workspace: folder, home: `${folder}/home` };
    },
    async harvest(run, asked, signal): Promise<Harvest> {
      const { phase, attempt, featureDirectory, laidOver = [], secrets = [] } = asked;
      const own = await withTip(run, signal);
      const files = workspaces.get(folderOf(run.runId, phase, attempt));
      if (files === undefined) {
        throw new SpeckitError("GIT_FAILED", `Run ${run.runId}: ${phase} ${attempt} has no folder`);
      }
      const before = treeOf(own.commits, run.tipSha);
      const left = withoutLaidOver(before, files, laidOver);
      const changed = compare(before, left);
      refuseSecrets(changed, left, secrets);
      return {
        featureDirectory,
        changed,
        // There is no `.git` in memory that an agent could move.
        head: { branch: run.branch, sha: run.tipSha },
        read: (path) => left.get(path),
        commit: async ({ message, dateSeconds }) => {
          if (changed.length === 0) {
            return { tipSha: run.tipSha, checkpoint: bundleOf(own.commits, run), patch: "" };
          }
          const commit = makeCommit(run.tipSha, left, `${dateSeconds} ${message}`);
          own.commits.set(commit.sha, commit);
          return {
            tipSha: commit.sha,
            checkpoint: bundleOf(own.commits, { ...run, tipSha: commit.sha }),
            patch: patchOf(before, left, changed),
          };
        },
      };
    },
    async diff(run, signal) {
      const own = await withTip(run, signal);
      const [before, after] = [treeOf(own.commits, run.baseSha), treeOf(own.commits, run.tipSha)];
      const changed = compare(before, after);
      const lines = (tree: Tree) =>
        changed.reduce((sum, { path }) => sum + lineCount(tree.get(path)), 0);
      return {
        stat: { files: changed.length, insertions: lines(after), deletions: lines(before) },
        patch: patchOf(before, after, changed),
      };
    },
    async changes(run, signal) {
      const own = await withTip(run, signal);
      return memoryChanges(own.commits, run);
    },
    async push(run, expectedOldSha, signal) {
      const own = await withTip(run, signal);
      const remote = remoteOf(remotes, run.gitRemote);
      const old = remote.branches.get(run.branch) ?? null;
      if (old === run.tipSha) {
        return;
      }
      for (const commit of lineFrom(own.commits, run.baseSha, run.tipSha) ?? []) {
        remote.commits.set(commit.sha, commit);
      }
      const isAhead = old === null || lineFrom(remote.commits, old, run.tipSha) !== undefined;
      if (old !== expectedOldSha || !isAhead) {
        throw new SpeckitError("BRANCH_DIVERGED", `${run.branch} is at ${old ?? "nothing"}`);
      }
      remote.branches.set(run.branch, run.tipSha);
    },
    async removeAttempt(runId, { phase, attempt }) {
      const folder = folderOf(runId, phase, attempt);
      workspaces.delete(folder);
      runs.get(runId)?.folders.delete(folder);
    },
    runsHere: async () => [...runs.keys()],
    async removeRun(runId) {
      for (const folder of runs.get(runId)?.folders ?? []) {
        workspaces.delete(folder);
      }
      runs.delete(runId);
    },
  };
  return { git, workspaces };
}

function remoteOf(remotes: MemoryRemotes, gitRemote: string): MemoryRemote {
  const remote = remotes.get(gitRemote);
  if (remote === undefined) {
    throw new SpeckitError("REPOSITORY_NOT_FOUND", `There is no repository ${gitRemote}`);
  }
  return remote;
}

function folderOf(runId: string, phase: string, attempt: number): string {
  return `/memory/${runId}/${phase}-${attempt}`;
}

function filesOf(tree: Tree): BaseFiles {
  return {
    listPaths: async () => [...tree.keys()].sort(),
    read: async (path) => tree.get(path),
  };
}

function withLaidOver(tree: Tree, files: readonly LaidOverFile[]): Tree {
  const over = new Map(tree);
  for (const { path, content } of files) {
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    if ([...tree.keys()].some((other) => other.startsWith(folder))) {
      over.set(path, content);
    }
  }
  return over;
}

/** What was laid over and left as it was, back to what the tree had there. */
function withoutLaidOver(before: Tree, files: Tree, laidOver: readonly LaidOverFile[]): Tree {
  const left = new Map(files);
  for (const { path, content } of laidOver) {
    const original = before.get(path);
    if (original !== undefined && left.get(path) === content) {
      left.set(path, original);
    }
  }
  return left;
}

function treeOf(commits: Commits, sha: string): Tree {
  return commits.get(sha)?.tree ?? new Map();
}

function refuseSecrets(
  changed: readonly TreeChange[],
  after: Tree,
  secrets: readonly string[],
): void {
  const mask = secretMasker(secrets);
  for (const { path } of changed) {
    const text = after.get(path);
    if (text !== undefined && mask(text) !== text) {
      throw new SpeckitError("SECRET_IN_TREE", `${path} holds a secret of the agent's environment`);
    }
  }
}

function patchOf(before: Tree, after: Tree, changed: readonly TreeChange[]): string {
  const marked = (mark: string, text: string | undefined): string =>
    text === undefined ? "" : `${mark}${text.trimEnd().replaceAll("\n", `\n${mark}`)}\n`;
  return changed
    .map(({ path }) => {
      const parts = [marked("-", before.get(path)), marked("+", after.get(path))];
      return `diff --git a/${path} b/${path}\n${parts.join("")}`;
    })
    .join("");
}

function lineCount(text: string | undefined): number {
  return text === undefined || text === "" ? 0 : text.trimEnd().split("\n").length;
}

/** The commits `baseSha..tipSha`, undefined when both are the same. */
function bundleOf(
  commits: Commits,
  { baseSha, tipSha }: { readonly baseSha: string; readonly tipSha: string },
): Uint8Array | undefined {
  if (baseSha === tipSha) {
    return undefined;
  }
  const line = lineFrom(commits, baseSha, tipSha) ?? [];
  return Buffer.from(JSON.stringify(line.map((one) => ({ ...one, tree: [...one.tree] }))), "utf8");
}

function unbundle(bundle: Uint8Array): readonly Commit[] {
  const line = JSON.parse(Buffer.from(bundle).toString("utf8")) as {
    readonly sha: string;
    readonly parent: string | null;
    readonly tree: [string, string][];
    readonly about: string;
  }[];
  return line.map((one) => ({ ...one, tree: new Map(one.tree) }));
}
