import { type MockAnswer, refused } from "./answer.ts";
import type { MockGrant, MockRepository } from "./state.ts";

/** Any one of these is enough, for example `pull_requests=write`. */
export type Needs = readonly `${string}=${"read" | "write"}`[];

/** Headers that GitHub sends with every answer to this token. */
export function grantHeaders(grant: MockGrant | undefined, needs: Needs): Record<string, string> {
  if (grant === undefined) {
    return {};
  }
  return grant.kind === "classic"
    ? {
        "x-oauth-scopes": grant.scopes.join(", "),
        "x-accepted-oauth-scopes": needs.some((need) => need.endsWith("write")) ? "repo" : "",
      }
    : { "x-accepted-github-permissions": needs.join("; ") };
}

/** @returns GitHub's refusal, undefined when the token may */
export function refusalFor(
  grant: MockGrant | undefined,
  repository: MockRepository,
  needs: Needs,
): MockAnswer | undefined {
  const reads = needs.some((need) => need.endsWith("read"));
  if (grant === undefined) {
    return reads && !repository.isPrivate
      ? undefined
      : repository.isPrivate
        ? refused(404, "Not Found")
        : refused(401, "Requires authentication");
  }
  const full = `${repository.owner}/${repository.name}`;
  if (grant.repositories !== undefined && !grant.repositories.includes(full)) {
    return refused(404, "Not Found");
  }
  if (grant.kind === "classic") {
    const may =
      grant.scopes.includes("repo") ||
      (!repository.isPrivate && (reads || grant.scopes.includes("public_repo")));
    return may
      ? undefined
      : refused(404, "Not Found", {
          "x-accepted-oauth-scopes": repository.isPrivate ? "repo" : "public_repo, repo",
        });
  }
  const { permissions } = grant;
  const may = needs.some((need) => {
    const [name = "", access] = need.split("=");
    return permissions[name] === "write" || (access === "read" && permissions[name] !== undefined);
  });
  const who = grant.kind === "installation" ? "integration" : "personal access token";
  return may ? undefined : refused(403, `Resource not accessible by ${who}`);
}
