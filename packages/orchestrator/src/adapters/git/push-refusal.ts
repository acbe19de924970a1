import type { ErrorCode } from "../../domain/error-codes.ts";

export interface PushRefusal {
  readonly code: ErrorCode;
  /** Undefined: the code's own. */
  readonly remedy?: string;
}

interface Row {
  readonly words: RegExp;
  readonly refusal: (found: RegExpExecArray) => PushRefusal;
}

const scope = (name: string, kind: string): PushRefusal => ({
  code: "TOKEN_SCOPE_MISSING",
  remedy: `Give the token the ${kind} \`${name}\`, or install the app with it; bundle and patch are kept.`,
});

/**
 * What hosts say when they refuse a push, and what it means; the first matching row wins. The words
 * are the host's own choice, so they only tell one refusal from another: that it is one, and that it
 * is not tried again, is known without them.
 */
const ROWS: readonly Row[] = [
  {
    // GitHub: … create or update workflow `.github/workflows/x.yml` without `workflows` permission
    words: /without [`'"]([A-Za-z_:-]{1,40})[`'"] (scope|permission)/,
    refusal: ([, name = "", kind = ""]) => scope(name, kind),
  },
  {
    words: /Resource not accessible by (?:personal access token|integration)/,
    refusal: () => scope("contents: write", "permission"),
  },
  {
    // GitHub, for a token of few permissions; a person who may not write is "denied".
    words: /Write access to repository not granted/,
    refusal: () => scope("contents: write", "permission"),
  },
  {
    words: /insufficient[_ ]scope|(?:required|missing) scopes?\b/i,
    refusal: () => scope("write_repository", "scope"),
  },
  {
    words:
      /\b(?:repository|repo|project)\b[^\n]{0,40}\barchived\b|\barchived (?:repository|project)/i,
    refusal: () => ({ code: "REPOSITORY_ARCHIVED" }),
  },
  {
    words: /Push cannot contain secrets/i,
    refusal: () => ({
      code: "PUSH_REFUSED",
      remedy:
        "The host takes something in the commits for a secret: its words name the file. Take it out of the base branch, or allow it at the host, and submit the request again.",
    }),
  },
  {
    words: /\bGH00[17]\b|\bGH008\b/,
    refusal: ([code = ""]) => ({ code: "PUSH_REFUSED", remedy: GITHUB[code] ?? "" }),
  },
  {
    words:
      /\bGH006\b|\bGH013\b|protected branch|repository rule violations|branch \S+ is protected|can only be modified through pull requests/i,
    refusal: () => ({ code: "BRANCH_PROTECTED" }),
  },
  {
    words: /repository (?:has )?moved\b/i,
    refusal: () => ({ code: "REPOSITORY_MOVED" }),
  },
];

const GITHUB: Readonly<Record<string, string>> = {
  GH001: "A file is larger than the host takes: keep it out of the repository, or in Git LFS.",
  GH007:
    "Set SPECKIT_COMMIT_EMAIL to an address that may be published, such as the account's noreply address.",
  GH008: "The repository's LFS objects are not at the host: push those of the base branch first.",
};

/**
 * @param said the host's words: its reason for this branch, and what it printed
 */
export function pushRefusal(said: string): PushRefusal {
  for (const { words, refusal } of ROWS) {
    const found = words.exec(said);
    if (found !== null) {
      return refusal(found);
    }
  }
  return { code: "PUSH_REFUSED" };
}
