import { isUtf8 } from "node:buffer";
import type { Finding } from "../../domain/failure.ts";
import { hasControlCharacter } from "./control-characters.ts";
import { isDotGit, isGitFile } from "./dot-git.ts";
import { pathBytes, shownPath, type TreePath } from "./tree-entries.ts";
import type { WalkedEntry } from "./walk-workspace.ts";

/**
 * Why a new or changed entry is never committed, undefined when it may be. What the base commit has
 * and nobody touched is not asked about.
 */
export function judgeEntry(path: TreePath, entry: WalkedEntry): Finding | undefined {
  const finding = (check: string, expected: string, found: string): Finding => ({
    check: `workspace.${check}`,
    path: shownPath(path),
    expected,
    found,
  });
  if (entry.kind === "other") {
    return finding("kind", "a regular file, a folder or a symlink inside the tree", entry.what);
  }
  if (!isUtf8(pathBytes(path))) {
    return finding("name", "a name in UTF-8", "bytes that are not UTF-8");
  }
  if (hasControlCharacter(path)) {
    return finding("name", "a name without control characters", "a control character");
  }
  if (entry.kind === "file") {
    return undefined;
  }
  if (isGitFile(path.slice(path.lastIndexOf("/") + 1))) {
    return finding("symlink", "a regular file", "a symlink");
  }
  const problem = symlinkProblem(path, entry.target);
  return problem === undefined
    ? undefined
    : finding("symlink", "a relative symlink to a place inside the tree", problem);
}

/**
 * `..` is taken only at the start of a target, where it leaves the real folders the link lies in.
 * Behind a name it would depend on what that name is: a symlink there could lead outside, now or
 * after a later change.
 */
function symlinkProblem(path: TreePath, target: Buffer): string | undefined {
  const text = target.toString("latin1");
  if (text === "" || text.length > 1_000 || !isUtf8(target) || hasControlCharacter(text)) {
    return "a target that is no plain path";
  }
  if (text.startsWith("/")) {
    return "an absolute target";
  }
  const folder = path.split("/").slice(0, -1);
  const parts = text.split("/").filter((part) => part !== "" && part !== ".");
  let ups = 0;
  while (parts[ups] === "..") {
    ups++;
  }
  if (parts.indexOf("..", ups) !== -1) {
    return "a target with '..' after a name";
  }
  if (ups > folder.length) {
    return "a target outside the tree";
  }
  const lands = [...folder.slice(0, folder.length - ups), ...parts.slice(ups)];
  return lands.some(isDotGit) ? "a target inside .git" : undefined;
}
