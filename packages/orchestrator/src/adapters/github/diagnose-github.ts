import { webHostOf } from "../../domain/git-hub-host.ts";
import { type Diagnosis, fine, problemOf, warning } from "../../ports/diagnosis.ts";
import { GitHubError } from "./github-failures.ts";
import { checkedRepository } from "./look-at-repository.ts";
import { type Client, openClient } from "./open-client.ts";
import { type Connection, openConnection } from "./open-connection.ts";
import type { GitHubHostOptions } from "./options.ts";
import { type RepositoryName, repositoryNameOf } from "./repository-name.ts";

/** For one repository; GitHub wants a second between two that are asked for a pull request. */
const WITHIN_MS = 40_000;
const SILENCE_MS = 10_000;

/**
 * Whether pull requests could be opened in repositories of a GitHub host; others are left out. Each is
 * asked for one from its default branch to itself, which GitHub refuses only after it has looked whether
 * the credential may.
 */
export async function diagnoseGitHub(
  options: GitHubHostOptions,
  gitRemotes: readonly string[],
): Promise<readonly Diagnosis[]> {
  await using connection = openConnection({ ...options, timeoutMs: SILENCE_MS });
  const host = webHostOf(connection.apiUrl);
  const named = gitRemotes.flatMap((gitRemote) => {
    const name = repositoryNameOf(gitRemote, host);
    return name === undefined ? [] : [{ gitRemote, name, host }];
  });
  return await Promise.all(
    named.map((repository) => lookAtRepository(options, connection, repository)),
  );
}

async function lookAtRepository(
  options: GitHubHostOptions,
  connection: Connection,
  {
    gitRemote,
    name,
    host,
  }: { readonly gitRemote: string; readonly name: RepositoryName; readonly host: string },
): Promise<Diagnosis> {
  const repository = `${name.owner}/${name.repo}`;
  const signal = AbortSignal.timeout(WITHIN_MS);
  try {
    const at = { gitRemote, host, purpose: "push" } as const;
    const credential = await options.credentials.find(at, signal);
    if (credential === undefined) {
      return warning(
        "github.pull-requests",
        `${repository}: no token for ${host}: runs push a branch and open no pull request`,
        "Set GITHUB_TOKEN, or a GitHub App, if you want pull requests.",
      );
    }
    const reach = { ...options, waitMs: 0 };
    const about = { repository, host };
    await askForNothing(openClient(connection, reach, credential.token, about, signal), name);
    return fine("github.pull-requests", `${repository}: pull requests may be opened`);
  } catch (error) {
    return problemOf("github.pull-requests", error);
  }
}

/** @throws GitHubError what the credential lacks */
async function askForNothing(client: Client, name: RepositoryName): Promise<void> {
  const { defaultBranch: branch } = await checkedRepository({ client, name });
  const title = "speckit doctor looks whether a pull request could be opened";
  try {
    await client.ask((request) =>
      request("POST /repos/{owner}/{repo}/pulls", { ...name, title, head: branch, base: branch }),
    );
  } catch (error) {
    // No commits between a branch and itself.
    if (!(error instanceof GitHubError && error.status === 422)) {
      throw error;
    }
  }
}
