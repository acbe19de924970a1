import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";

// References and commits are read and written as files: a process of git for each of them made the
// quickest test take seconds.

const ENVIRONMENT = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

function git(folder: string, ...args: readonly string[]): string {
  return execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", env: ENVIRONMENT });
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
  const tree = writeObject(folder, "tree", "");
  const who = "Somebody <somebody@example.org> 1796040000 +0000";
  const lines = [
    `tree ${tree}`,
    ...(parent === undefined ? [] : [`parent ${parent}`]),
    `author ${who}`,
    `committer ${who}`,
    "",
    `One more on ${branch}`,
    "",
  ];
  const sha = writeObject(folder, "commit", lines.join("\n"));
  setBranch(folder, branch, sha);
  return sha;
}

function writeObject(folder: string, type: "tree" | "commit", text: string): string {
  const content = Buffer.from(`${type} ${Buffer.byteLength(text)}\0${text}`);
  const sha = createHash("sha1").update(content).digest("hex");
  const path = join(folder, "objects", sha.slice(0, 2), sha.slice(2));
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, deflateSync(content));
  }
  return sha;
}

export function setBranch(folder: string, branch: string, sha: string): void {
  const path = join(folder, "refs/heads", branch);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${sha}\n`);
}

export function deleteBranch(folder: string, branch: string): void {
  rmSync(join(folder, "refs/heads", branch), { force: true });
}

export function shaOf(folder: string, branch: string): string | undefined {
  return readText(join(folder, "refs/heads", branch))?.trim() ?? packedSha(folder, branch);
}

function packedSha(folder: string, branch: string): string | undefined {
  const line = readText(join(folder, "packed-refs"))
    ?.split("\n")
    .find((one) => one.endsWith(` refs/heads/${branch}`));
  return line?.slice(0, line.indexOf(" "));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

export function commitsBetween(folder: string, base: string, head: string): number {
  return shaOf(folder, base) === shaOf(folder, head)
    ? 0
    : Number(git(folder, "rev-list", "--count", `refs/heads/${base}..refs/heads/${head}`));
}
