/**
 * Whether git on some file system takes a name for its own folder: in any case, with trailing dots
 * or spaces, as an NTFS short name or stream, or with characters HFS+ drops.
 *
 * @param name one part of a path, one character per byte
 */
export function isDotGit(name: string): boolean {
  return /^(?:\.git|git~1)[ .]*(?:$|:)/i.test(withoutInvisible(name));
}

/** Git files that must be files: git follows none of them as a symlink, and some hosts refuse it. */
export function isGitFile(name: string): boolean {
  return /^\.git(?:modules|attributes|ignore)[ .]*(?:$|:)/i.test(withoutInvisible(name));
}

function withoutInvisible(name: string): string {
  return Buffer.from(name, "latin1")
    .toString("utf8")
    .replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, "");
}
