import type { TreeChange } from "../../../ports/git-workspace.ts";
import type { Tree } from "./memory-remotes.ts";

/** In the order of the paths. */
export function compare(before: Tree, after: Tree): readonly TreeChange[] {
  const changes: TreeChange[] = [];
  for (const [path, text] of after) {
    const old = before.get(path);
    if (old !== text) {
      changes.push({ path, kind: old === undefined ? "added" : "changed" });
    }
  }
  for (const path of before.keys()) {
    if (!after.has(path)) {
      changes.push({ path, kind: "removed" });
    }
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}
