import { hash } from "node:crypto";

/** A tree as texts by path. */
export type Tree = ReadonlyMap<string, string>;

export interface Commit {
  readonly sha: string;
  readonly parent: string | null;
  readonly tree: Tree;
  /** Its date and message. */
  readonly about: string;
}

/** Commits by their id, which is made of all they hold. */
export type Commits = Map<string, Commit>;

export interface MemoryRemote {
  /** Branch heads. */
  readonly branches: Map<string, string>;
  readonly commits: Commits;
  readonly defaultBranch: string;
}

/** Git hosts in memory: remotes by their address. */
export type MemoryRemotes = Map<string, MemoryRemote>;

/** A remote whose default branch `main` has one commit of these files. */
export function memoryRemote(files: Readonly<Record<string, string>>): MemoryRemote {
  const remote = { branches: new Map(), commits: new Map(), defaultBranch: "main" };
  commitTo(remote, "main", files);
  return remote;
}

/** Adds a commit that changes these files, as somebody else would. @returns its id */
export function commitTo(
  remote: MemoryRemote,
  branch: string,
  files: Readonly<Record<string, string>>,
): string {
  const parent = remote.branches.get(branch) ?? null;
  const before = parent === null ? [] : (remote.commits.get(parent)?.tree ?? []);
  const tree = new Map([...before, ...Object.entries(files)]);
  const commit = makeCommit(parent, tree, "by somebody else");
  remote.commits.set(commit.sha, commit);
  remote.branches.set(branch, commit.sha);
  return commit.sha;
}

/** The same parent, tree and words always make the same commit. */
export function makeCommit(parent: string | null, tree: Tree, about: string): Commit {
  const files = [...tree].sort(([a], [b]) => (a < b ? -1 : 1));
  return { sha: hash("sha1", JSON.stringify([parent, about, files])), parent, tree, about };
}

/** Commits from `tip` back to, and without, `base`; undefined when `base` is none of its ancestors. */
export function lineFrom(
  commits: Commits,
  base: string | null,
  tip: string,
): readonly Commit[] | undefined {
  const line: Commit[] = [];
  for (let sha: string | null = tip; sha !== base; ) {
    const commit: Commit | undefined = sha === null ? undefined : commits.get(sha);
    if (commit === undefined) {
      return undefined;
    }
    line.push(commit);
    sha = commit.parent;
  }
  return line;
}
