import type { DiffStat } from "../../ports/git-workspace.ts";
import type { GitContext } from "./context.ts";
import { nulSeparated } from "./tree-entries.ts";

interface Between {
  readonly gitDir: string;
  readonly from: string;
  readonly to: string;
}

/** Every choice that would change the text is made here; no program of the repository's is run. */
const PLAIN = ["-r", "--no-ext-diff", "--no-textconv", "--no-renames"] as const;

/** What lies between two commits as `git apply` takes it; cut, with a last line that says so. */
export async function patchBetween(
  context: GitContext,
  {
    gitDir,
    from,
    to,
    binary,
    maxBytes,
  }: Between & { readonly binary: boolean; readonly maxBytes: number },
  signal: AbortSignal,
): Promise<string> {
  const { stdout, cut } = await context.git(
    {
      args: [
        "diff-tree",
        "-p",
        ...PLAIN,
        "--no-color",
        "--full-index",
        "--unified=3",
        "--diff-algorithm=myers",
        "--no-indent-heuristic",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        ...(binary ? ["--binary"] : []),
        from,
        to,
        "--",
      ],
      gitDir,
      maxBytes,
    },
    signal,
  );
  if (!cut) {
    return stdout.toString("utf8");
  }
  const end = stdout.lastIndexOf(0x0a, maxBytes - 1);
  return `${stdout.toString("utf8", 0, end + 1)}[cut at ${maxBytes} bytes]\n`;
}

/** Files, and lines added and removed. Binary files count as files only. */
export async function diffStat(
  context: GitContext,
  { gitDir, from, to }: Between,
  signal: AbortSignal,
): Promise<DiffStat> {
  const { stdout } = await context.git(
    { args: ["diff-tree", "--numstat", "-z", ...PLAIN, from, to, "--"], gitDir },
    signal,
  );
  let insertions = 0;
  let deletions = 0;
  const records = nulSeparated(stdout);
  for (const record of records) {
    const [added, removed] = record.split("\t", 2);
    insertions += Number(added) || 0;
    deletions += Number(removed) || 0;
  }
  return { files: records.length, insertions, deletions };
}
