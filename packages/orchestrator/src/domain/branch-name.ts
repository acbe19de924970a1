import { slugOf } from "./slug.ts";

/**
 * The run's branch when the request names none: the same run always gets the same branch.
 *
 * @param runIdSha256 lower-case hex SHA-256 of the run's id
 */
export function branchNameFor(sentence: string, runIdSha256: string): string {
  return `speckit/${slugOf(sentence)}-${runIdSha256.slice(0, 8)}`;
}

const MAX_BYTES = 200;

/**
 * Whether a text can name a branch: git's own rules for `check-ref-format --branch`, and three of
 * ours: no leading `-` in any part (an option to some command), at most 200 bytes (a file's name has
 * 255, and git adds a suffix for its lock file), and none of git's own names (`HEAD`, `refs/…`).
 */
export function isBranchName(text: string): boolean {
  if (text.length === 0 || text === "@" || text === "HEAD" || !text.isWellFormed()) {
    return false;
  }
  if (new TextEncoder().encode(text).length > MAX_BYTES) {
    return false;
  }
  if (
    text.startsWith("refs/") ||
    text.endsWith(".") ||
    text.includes("..") ||
    text.includes("@{")
  ) {
    return false;
  }
  // Control characters, space and the characters git keeps for revisions and patterns.
  if (/[\p{Cc} ~^:?*[\\]/u.test(text)) {
    return false;
  }
  return text
    .split("/")
    .every(
      (part) =>
        part.length > 0 &&
        !part.startsWith(".") &&
        !part.startsWith("-") &&
        !part.endsWith(".lock"),
    );
}
