export type PushVerdict = "diverged" | "refused" | "remote_trouble" | "unknown";

/**
 * What a push that ended with exit code 1 came to, from its `--porcelain` lines
 * (`<flag> TAB <from>:<to> TAB <summary> (<reason>)`) and git's own words.
 *
 * Reasons in `[remote rejected]` are the server's; hosts word them as they like, so only those of
 * git itself are told apart, and every other one is a refusal.
 */
export function judgePush(porcelain: string, stderr: string): PushVerdict {
  const line = porcelain.split("\n").find((candidate) => candidate.startsWith("!\t"));
  if (line === undefined) {
    return "unknown";
  }
  const summary = line.split("\t")[2] ?? "";
  if (summary.startsWith("[rejected]")) {
    return "diverged";
  }
  if (summary.startsWith("[remote failure]")) {
    return "remote_trouble";
  }
  const reason = refusalReason(porcelain) ?? "";
  return REASONS.find(([words]) => words.test(reason))?.[1](stderr) ?? "refused";
}

const REASONS: readonly (readonly [RegExp, (stderr: string) => PushVerdict])[] = [
  [
    /fetch first|non-fast-forward|stale info|incorrect old value|but expected|already exists/,
    () => "diverged",
  ],
  [/remote failed to report status/, () => "remote_trouble"],
  [
    /unpacker error|unable to migrate objects/,
    // A full disk passes, missing permissions do not.
    (stderr) =>
      /permission|[Rr]ead-only|unable to create temporary object directory/i.test(stderr)
        ? "refused"
        : "remote_trouble",
  ],
  [
    /failed to update ref|cannot lock ref|failed to lock/,
    (stderr) => {
      if (/but expected/.test(stderr)) {
        return "diverged";
      }
      // Somebody else holds the lock; a branch `a` in the way of `a/b` would stay there.
      return /\.lock': File exists/.test(stderr) ? "remote_trouble" : "refused";
    },
  ],
];

/** Why the server did not take the branch, in its words; undefined when it has not said. */
export function refusalReason(porcelain: string): string | undefined {
  const line = porcelain.split("\n").find((candidate) => candidate.startsWith("!\t"));
  return /\((.*)\)\s*$/.exec(line?.split("\t")[2] ?? "")?.[1];
}
