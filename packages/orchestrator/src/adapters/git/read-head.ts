import { isBranchName } from "../../domain/branch-name.ts";
import type { WorkspaceHead } from "../../ports/git-workspace.ts";
import type { OpenFolder } from "./open-beneath.ts";
import { readSmallFile } from "./read-small-file.ts";
import { pathOf } from "./tree-entries.ts";

const HEAD_MAX_BYTES = 4 * 1024;
const PACKED_MAX_BYTES = 1024 * 1024;
const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * Where a workspace's `.git` stands, read as plain files: it is the agent's, and a git command there
 * would obey its configuration. What is no plain branch or commit is null.
 */
export async function readHead(root: OpenFolder): Promise<WorkspaceHead> {
  const head = await line(root, ".git/HEAD");
  if (head === undefined || SHA.test(head)) {
    return { branch: null, sha: head ?? null };
  }
  const branch = /^ref: refs\/heads\/(.+)$/.exec(head)?.[1];
  if (branch === undefined || !isBranchName(branch)) {
    return { branch: null, sha: null };
  }
  const sha = (await line(root, `.git/refs/heads/${branch}`)) ?? (await packed(root, branch));
  return { branch, sha: sha !== undefined && SHA.test(sha) ? sha : null };
}

async function line(root: OpenFolder, path: string): Promise<string | undefined> {
  return (await readSmallFile(root, pathOf(path), HEAD_MAX_BYTES))?.toString("utf8").trim();
}

async function packed(root: OpenFolder, branch: string): Promise<string | undefined> {
  const content = await readSmallFile(root, ".git/packed-refs", PACKED_MAX_BYTES);
  const ref = ` refs/heads/${branch}`;
  const found = content
    ?.toString("utf8")
    .split("\n")
    .find((entry) => entry.endsWith(ref));
  return found?.slice(0, -ref.length);
}
