import { GitHubError } from "./github-failures.ts";
import type { AskedWork, Work } from "./pull-request-work.ts";

/**
 * The repository's owner as GitHub spells it, and the branch that pull requests go to by default.
 *
 * @throws GitHubError `REPOSITORY_ARCHIVED`, `REPOSITORY_MOVED`, `REPOSITORY_NOT_FOUND` …
 */
export async function checkedRepository({
  client,
  name,
}: Pick<AskedWork, "client" | "name">): Promise<{
  readonly owner: string;
  readonly defaultBranch: string;
}> {
  const repository = await client.ask((request) =>
    request("GET /repos/{owner}/{repo}", { ...name }),
  );
  if (repository.archived) {
    throw new GitHubError("REPOSITORY_ARCHIVED", `${repository.full_name}: it is archived`, {
      status: 200,
    });
  }
  return { owner: repository.owner.login, defaultBranch: repository.default_branch };
}

/** @throws GitHubError `BASE_BRANCH_NOT_FOUND` */
export async function checkBase({ client, name, base }: Work): Promise<void> {
  await client
    .ask((request) =>
      request("GET /repos/{owner}/{repo}/branches/{branch}", { ...name, branch: base }),
    )
    .catch((error: unknown) => {
      throw error instanceof GitHubError && error.status === 404
        ? new GitHubError(
            "BASE_BRANCH_NOT_FOUND",
            `${name.owner}/${name.repo}: it has no branch ${base} any more`,
            { status: 404, words: error.words },
          )
        : error;
    });
}

/** Where a branch is; empty when it is not there. */
export async function branchSha({ client, name }: Work, branch: string): Promise<string> {
  try {
    const data = await client.ask((request) =>
      request("GET /repos/{owner}/{repo}/branches/{branch}", { ...name, branch }),
    );
    return data.commit.sha;
  } catch (error) {
    if (error instanceof GitHubError && error.status === 404) {
      return "";
    }
    throw error;
  }
}
