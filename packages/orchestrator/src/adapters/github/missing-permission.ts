import type { Headers } from "./github-failures.ts";

/** Scopes that hold others. */
const HOLDS: Readonly<Record<string, readonly string[]>> = {
  repo: ["public_repo", "repo:status", "repo_deployment", "repo:invite", "security_events"],
  "admin:org": ["write:org", "read:org"],
  "write:org": ["read:org"],
};

/**
 * What a token lacks, as GitHub's headers say it: `x-accepted-github-permissions` for fine-grained
 * tokens and Apps, `x-accepted-oauth-scopes` beside `x-oauth-scopes` for classic ones.
 *
 * @returns undefined when that is not what is wrong
 */
export function missingPermission(headers: Headers, words: string): string | undefined {
  const permissions = headers["x-accepted-github-permissions"];
  if (/^Resource not accessible by/i.test(words)) {
    const needed = permissions === undefined ? "a permission" : `one of: ${permissions}`;
    return `the token lacks ${needed}`;
  }
  const granted = headers["x-oauth-scopes"];
  if (granted === undefined) {
    return undefined;
  }
  const accepted = scopesOf(headers["x-accepted-oauth-scopes"]);
  const has = scopesOf(granted);
  const all = has.flatMap((scope) => [scope, ...(HOLDS[scope] ?? [])]);
  if (accepted.length === 0 || accepted.some((scope) => all.includes(scope))) {
    return undefined;
  }
  return `the token lacks the scope ${accepted.join(" or ")}; it has ${has.join(", ") || "none"}`;
}

function scopesOf(header: string | number | undefined): readonly string[] {
  return String(header ?? "")
    .split(",")
    .map((scope) => scope.trim())
    .filter(Boolean);
}
