import type { GitContext } from "./context.ts";

/**
 * An entry of a commit's tree. Paths are bytes to git; here they are strings of one character per
 * byte (latin1), so that no two of them fall together and each can be turned back.
 */
export interface TreeEntry {
  readonly mode: string;
  readonly oid: string;
  /** Of a submodule: 0. */
  readonly bytes: number;
}

export type TreePath = string;

export const SUBMODULE_MODE = "160000";
export const SYMLINK_MODE = "120000";

/** Every file, symlink and submodule of a commit, by path. */
export async function treeEntries(
  context: GitContext,
  gitDir: string,
  commit: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<TreePath, TreeEntry>> {
  const { stdout } = await context.git(
    { args: ["ls-tree", "-r", "-l", "-z", "--full-tree", commit], gitDir },
    signal,
  );
  const entries = new Map<TreePath, TreeEntry>();
  for (const record of nulSeparated(stdout)) {
    const tab = record.indexOf("\t");
    const [mode, , oid, bytes] = record.slice(0, tab).split(/ +/);
    if (mode !== undefined && oid !== undefined) {
      entries.set(record.slice(tab + 1), { mode, oid, bytes: Number(bytes) || 0 });
    }
  }
  return entries;
}

/** Records of git's `-z` output, one character per byte. */
export function nulSeparated(output: Buffer): readonly string[] {
  const records = output.toString("latin1").split("\0");
  records.pop();
  return records;
}

export function pathBytes(path: TreePath): Buffer {
  return Buffer.from(path, "latin1");
}

export function pathOf(text: string): TreePath {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A path for people: control characters and broken UTF-8 cannot reach a terminal. */
export function shownPath(path: TreePath): string {
  const text = pathBytes(path).toString("utf8");
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
