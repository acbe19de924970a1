import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";

const ENVIRONMENT = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "Somebody",
  GIT_AUTHOR_EMAIL: "somebody@example.org",
  GIT_COMMITTER_NAME: "Somebody",
  GIT_COMMITTER_EMAIL: "somebody@example.org",
};

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync("git", ["-C", folder, ...args], {
    encoding: "utf8",
    env: ENVIRONMENT,
    input: "",
    stdio: ["pipe", "pipe", "ignore"],
  }).trim();
}

/** A bare repository whose branch `main` has one commit; one that is there stays as it is. */
export function ensureBareRepository(folder: string): void {
  if (existsSync(folder)) {
    return;
  }
  mkdirSync(folder, { recursive: true });
  git(folder, "init", "--quiet", "--bare", "--initial-branch=main", ".");
  git(folder, "config", "http.receivepack", "true");
  commitTo(folder, "main");
}

/** Adds an empty commit to a branch; a new branch begins at `main`. @returns its id */
export function commitTo(folder: string, branch: string): string {
  const parent = shaOf(folder, branch) ?? shaOf(folder, "main");
  const tree = git(folder, "mktree");
  const parents = parent === undefined ? [] : ["-p", parent];
  const about = `One more on ${branch} after ${parent ?? "nothing"}`;
  const sha = git(folder, "commit-tree", tree, ...parents, "-m", about);
  git(folder, "update-ref", `refs/heads/${branch}`, sha);
  return sha;
}

export function deleteBranch(folder: string, branch: string): void {
  git(folder, "update-ref", "-d", `refs/heads/${branch}`);
}

export function setBranch(folder: string, branch: string, sha: string): void {
  git(folder, "update-ref", `refs/heads/${branch}`, sha);
}

export function shaOf(folder: string, branch: string): string | undefined {
  try {
    return git(folder, "rev-parse", "--verify", "--quiet", `refs/heads/${branch}^{commit}`);
  } catch {
    return undefined;
  }
}

export function commitsBetween(folder: string, base: string, head: string): number {
  return Number(git(folder, "rev-list", "--count", `refs/heads/${base}..refs/heads/${head}`));
}
