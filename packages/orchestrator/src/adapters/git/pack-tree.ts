import { join } from "node:path";
import type { PackedWorkspace } from "../../ports/job-runtime.ts";
import type { TreeEntry, TreePath } from "./tree-entries.ts";

/** A larger file needs a way to say its size that not everybody reads. */
const FILE_MAX_BYTES = 0o77777777777;

/** Whether a tree can be told as an archive that everybody can read. */
export function canPack(tree: ReadonlyMap<TreePath, TreeEntry>): boolean {
  return [...tree.values()].every(({ bytes }) => bytes <= FILE_MAX_BYTES);
}

/** Where a packed workspace is in its attempt's folder: never where an unpacked one would be. */
export function packedBelow(attemptFolder: string): PackedWorkspace {
  return { archive: join(attemptFolder, "tree.tar"), folder: join(attemptFolder, "packed") };
}

/**
 * The git command that packs a commit's tree: of the tree, not the commit, whose id would come as an
 * entry of a kind of its own. Run where attributes are neutral, else they decide what is left out.
 */
export function packTree(commit: string, archive: string): readonly [string, ...string[]] {
  return [
    "archive",
    "--format=tar",
    "--prefix=workspace/",
    `--output=${archive}`,
    `${commit}^{tree}`,
  ];
}
