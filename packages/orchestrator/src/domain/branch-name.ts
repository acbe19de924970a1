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

/** Letters, marks and digits of any alphabet, and what people use between them: nothing a shell reads. */
const CHARACTERS = /^[\p{L}\p{M}\p{N}._/@+#=,-]+$/u;

/** Letters and marks that nobody sees. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

/** Latin beside Cyrillic or Greek in one word: letters that look alike make another name of it. */
const MIXED_WORD =
  /(?=[\p{L}\p{M}]*\p{Script=Latin})(?=[\p{L}\p{M}]*[\p{Script=Cyrillic}\p{Script=Greek}])/u;

/** Names that Windows keeps for devices, with any extension: such a branch is no file there. */
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Whether a text can name a branch: git's own rules for `check-ref-format --branch`, and ours, which
 * are an allow-list: the characters above, each as it shows (in normal form NFKC, so that two names
 * that look the same are the same), no leading `-` in any part (an option to some command), at most
 * 200 bytes (a file's name has 255, and git adds a suffix for its lock file), and none of git's own
 * names (`HEAD`, `refs/…`) or of Windows' devices.
 */
export function isBranchName(text: string): boolean {
  if (text === "@" || text === "HEAD" || !text.isWellFormed()) {
    return false;
  }
  if (new TextEncoder().encode(text).length > MAX_BYTES) {
    return false;
  }
  if (!CHARACTERS.test(text) || text.normalize("NFKC") !== text) {
    return false;
  }
  if (INVISIBLE.test(text) || MIXED_WORD.test(text)) {
    return false;
  }
  if (text.startsWith("refs/") || text.endsWith(".") || text.includes("..")) {
    return false;
  }
  return text
    .split("/")
    .every(
      (part) =>
        part.length > 0 &&
        !part.startsWith(".") &&
        !part.startsWith("-") &&
        !part.endsWith(".lock") &&
        !WINDOWS_DEVICE.test(part),
    );
}
