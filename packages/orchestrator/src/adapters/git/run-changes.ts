import type {
  CommittedChange,
  RunCommit,
  StoredContent,
} from "../../domain/publish-policy/run-changes.ts";
import type { GitRun, RunChanges } from "../../ports/git-workspace.ts";
import type { GitContext } from "./context.ts";
import { readBlobs } from "./read-blobs.ts";
import { openRunRepository } from "./run-repository.ts";
import { nulSeparated, pathBytes, SUBMODULE_MODE, SYMLINK_MODE } from "./tree-entries.ts";

/** A run makes one commit per phase. More are no run's, and need not all be listed to be refused. */
const MAX_COMMITS = 50;

/** No file system takes a longer target. */
const TARGET_MAX_BYTES = 4_096;

/** Every commit of a run and what each does, path by path, from the run's own repository. */
export async function runChanges(
  context: GitContext,
  run: GitRun,
  signal: AbortSignal,
): Promise<RunChanges> {
  const gitDir = await openRunRepository(context, run, signal);
  const commits = await commitsOf(context, gitDir, run, signal);
  const raw: RawChange[] = [];
  for (const commit of commits) {
    raw.push(...(await rawChanges(context, gitDir, commit, signal)));
  }
  const sizes = await sizesOf(
    context,
    gitDir,
    raw.flatMap(({ before, after }) => [before, after]).filter(isStored),
    signal,
  );
  const contentOf = (side: Side): StoredContent | null =>
    isStored(side) ? { id: side.oid, bytes: sizes.get(side.oid) ?? 0 } : null;
  const read: RunChanges["read"] = (contents, reading) =>
    readBlobs(context, gitDir, contents, reading);
  const links = raw.flatMap(({ before, after, kind }) => {
    const side = kind === "removed" ? before : after;
    const content = side.mode === SYMLINK_MODE ? contentOf(side) : null;
    return content !== null && content.bytes <= TARGET_MAX_BYTES ? [content] : [];
  });
  const targets = await read(links, signal);
  return {
    commits,
    changes: raw.map(({ commit, path, kind, before, after }): CommittedChange => {
      const side = kind === "removed" ? before : after;
      const isLink = side.mode === SYMLINK_MODE;
      return {
        commit,
        path,
        kind,
        entry: isLink ? "symlink" : side.mode === SUBMODULE_MODE ? "submodule" : "file",
        before: contentOf(before),
        after: contentOf(after),
        target: isLink ? Buffer.from(targets.get(side.oid) ?? []).toString("utf8") : null,
      };
    }),
    read,
  };
}

async function commitsOf(
  context: GitContext,
  gitDir: string,
  { baseSha, tipSha }: GitRun,
  signal: AbortSignal,
): Promise<readonly RunCommit[]> {
  const { stdout } = await context.git(
    {
      args: [
        "log",
        "-z",
        "--topo-order",
        `--max-count=${MAX_COMMITS}`,
        "--format=%H%x09%P%x09%(trailers:key=Speckit-Run,valueonly,separator=%x2C)%x09%(trailers:key=Speckit-Phase,valueonly,separator=%x2C)",
        `${baseSha}..${tipSha}`,
        "--",
      ],
      gitDir,
    },
    signal,
  );
  const lines = stdout.toString("utf8").split("\0").filter(Boolean);
  return lines.reverse().map((line) => {
    const [sha = "", parents = "", runId = "", phase = ""] = line.trim().split("\t");
    return {
      sha,
      parents: parents.split(" ").filter(Boolean),
      phase: runId === "" || phase === "" ? null : phase,
    };
  });
}

interface Side {
  readonly mode: string;
  readonly oid: string;
}

interface RawChange {
  readonly commit: string;
  readonly path: string;
  readonly kind: CommittedChange["kind"];
  readonly before: Side;
  readonly after: Side;
}

/** Against the first parent: a commit with several is refused for that. */
async function rawChanges(
  context: GitContext,
  gitDir: string,
  { sha, parents }: RunCommit,
  signal: AbortSignal,
): Promise<readonly RawChange[]> {
  const [parent] = parents;
  const { stdout } = await context.git(
    {
      args: [
        "diff-tree",
        "-r",
        "--raw",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--no-commit-id",
        ...(parent === undefined ? ["--root", sha] : [parent, sha]),
        "--",
      ],
      gitDir,
    },
    signal,
  );
  const records = nulSeparated(stdout);
  const changes: RawChange[] = [];
  for (let ix = 0; ix + 1 < records.length; ix += 2) {
    const [before = "", after = "", oldOid = "", oid = ""] = (records[ix] ?? "")
      .slice(1)
      .split(" ");
    changes.push({
      commit: sha,
      path: pathBytes(records[ix + 1] ?? "").toString("utf8"),
      kind: isNothing(before) ? "added" : isNothing(after) ? "removed" : "changed",
      before: { mode: before, oid: oldOid },
      after: { mode: after, oid },
    });
  }
  return changes;
}

function isNothing(mode: string): boolean {
  return /^0+$/.test(mode);
}

/** A submodule is a commit of another repository: there is nothing of it here. */
function isStored({ mode }: Side): boolean {
  return !isNothing(mode) && mode !== SUBMODULE_MODE;
}

async function sizesOf(
  context: GitContext,
  gitDir: string,
  sides: readonly Side[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const oids = [...new Set(sides.map(({ oid }) => oid))];
  if (oids.length === 0) {
    return new Map();
  }
  const { stdout } = await context.git(
    {
      args: ["cat-file", "--batch-check=%(objectname) %(objectsize)"],
      gitDir,
      input: oids.map((oid) => `${oid}\n`).join(""),
    },
    signal,
  );
  const lines = stdout.toString("utf8").trim().split("\n");
  return new Map(
    lines.map((line): [string, number] => {
      const [oid = "", bytes] = line.split(" ");
      return [oid, Number(bytes) || 0];
    }),
  );
}
