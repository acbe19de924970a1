/**
 * Whether a symlink leads out of the tree it lies in, by its text alone: an absolute target, one that
 * climbs above the root anywhere on its way, or none that could be told.
 */
export function leadsOutside(path: string, target: string): boolean {
  if (target === "" || /^[/\\]|^[A-Za-z]:/.test(target)) {
    return true;
  }
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") {
      depth -= 1;
    } else if (part !== "" && part !== ".") {
      depth += 1;
    }
    if (depth < 0) {
      return true;
    }
  }
  return false;
}
