import { GitHubError } from "./github-failures.ts";
import type { Work } from "./pull-request-work.ts";

/**
 * The repository's owner as GitHub spells it.
 *
 * @throws GitHubError `REPOSITORY_ARCHIVED`, `REPOSITORY_MOVED`, `REPOSITORY_NOT_FOUND` …
 */
export async function checkedRepository({ client, name }: Work): Promise<string> {
  const repository = await client.ask((request) =>
    request("GET /repos/{owner}/{repo}", { ...name }),
  );
  if (repository.archived) {
    throw new GitHubError("REPOSITORY_ARCHIVED", `${repository.full_name}: it is archived`, {
      status: 200,
    });
  }
  return repository.owner.login;
}

/** @throws GitHubError `BASE_BRANCH_NOT_FOUND` */
export async function checkBase({ client, name, wanted }: Work): Promise<void> {
  await client
    .ask((request) =>
      request("GET /repos/{owner}/{repo}/branches/{branch}", { ...name, branch: wanted.base }),
    )
    .catch((error: unknown) => {
      throw error instanceof GitHubError && error.status === 404
        ? new GitHubError(
            "BASE_BRANCH_NOT_FOUND",
            `${name.owner}/${name.repo}: it has no branch ${wanted.base} any more`,
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
