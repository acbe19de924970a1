import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { CommitAbout, Committed, GitRun } from "../../ports/git-workspace.ts";
import type { Change } from "./compare-tree.ts";
import type { GitContext } from "./context.ts";
import type { GitCommand } from "./git-command.ts";
import { makeCheckpoint } from "./make-checkpoint.ts";
import { patchBetween } from "./patch-between.ts";
import { tipRef } from "./run-repository.ts";
import { pathBytes, type TreeEntry, type TreePath } from "./tree-entries.ts";
import { withTrailers } from "./with-trailers.ts";

const PATCH_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Makes a phase's commit from blobs that are already in the run's repository: tip's tree in an index
 * of its own, changes applied, written as a tree. The same tip, changes, message and date give the
 * same id on every machine, but for signatures that hold the time or chance (GnuPG, ECDSA): such a
 * commit made again has another id. That is as safe, since nothing knows the first one's: a commit
 * counts once the run's row has its id and its bundle, and only what the row has is pushed. Its ref is
 * written last.
 */
export async function makeCommit(
  context: GitContext,
  phase: {
    readonly run: GitRun;
    /** The run's repository, with the blobs. */
    readonly gitDir: string;
    readonly changes: readonly Change[];
    readonly taken: ReadonlyMap<TreePath, TreeEntry>;
    readonly about: CommitAbout;
  },
  signal: AbortSignal,
): Promise<Committed> {
  const { run, gitDir } = phase;
  const tipSha = await commitChanges(context, phase, signal);
  const between = { gitDir, from: run.tipSha, to: tipSha, maxBytes: PATCH_MAX_BYTES } as const;
  return {
    tipSha,
    checkpoint: await makeCheckpoint(context, gitDir, run.baseSha, tipSha, signal),
    patch:
      tipSha === run.tipSha
        ? ""
        : await patchBetween(context, { ...between, binary: false }, signal),
  };
}

async function commitChanges(
  context: GitContext,
  { run, gitDir, changes, taken, about }: Parameters<typeof makeCommit>[1],
  signal: AbortSignal,
): Promise<string> {
  if (changes.length === 0) {
    return run.tipSha;
  }
  const index = join(gitDir, `index-${randomBytes(8).toString("hex")}`);
  const text = async (
    args: readonly [string, ...string[]],
    more: Pick<GitCommand, "env" | "config" | "input"> = {},
  ) => (await context.git({ args, gitDir, ...more }, signal)).stdout.toString("utf8").trim();
  const env = { GIT_INDEX_FILE: index };
  try {
    await text(["read-tree", run.tipSha], { env });
    await text(["update-index", "-z", "--index-info"], {
      env,
      input: indexLines(changes, taken, run),
    });
    const tree = await text(["write-tree"], { env });
    if (tree === (await text(["rev-parse", "--verify", `${run.tipSha}^{tree}`]))) {
      return run.tipSha;
    }
    const signing = await context.signingCommand();
    const sha = await text(
      ["commit-tree", ...(signing === undefined ? [] : ["-S"]), "-p", run.tipSha, "-F", "-", tree],
      {
        env: { ...identityOf(context, about), ...signing?.env },
        config: signing?.config ?? [],
        input: withTrailers(about.message, context.trailers),
      },
    );
    await text(["update-ref", tipRef(sha), sha]);
    return sha;
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}

/** Removals first: a folder may stand where a file was. */
function indexLines(
  changes: readonly Change[],
  taken: ReadonlyMap<TreePath, TreeEntry>,
  run: GitRun,
): Buffer {
  const nothing = "0".repeat(run.tipSha.length);
  const removed = changes.filter(({ kind }) => kind === "removed");
  return pathBytes(
    [
      ...removed.map(({ path }) => `0 ${nothing}\t${path}\0`),
      ...[...taken].map(([path, { mode, oid }]) => `${mode} ${oid}\t${path}\0`),
    ].join(""),
  );
}

function identityOf(
  { identity }: GitContext,
  { dateSeconds }: CommitAbout,
): Record<string, string> {
  const date = `@${dateSeconds} +0000`;
  return {
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
    GIT_COMMITTER_DATE: date,
  };
}
