import { webHostOf } from "../../domain/git-hub-host.ts";
import { SpeckitError } from "../../domain/speckit-error.ts";
import type { PullRequestHost } from "../../ports/pull-request-host.ts";
import { ensurePullRequest } from "./ensure-pull-request.ts";
import { openClient } from "./open-client.ts";
import { openConnection } from "./open-connection.ts";
import type { GitHubHostOptions } from "./options.ts";
import { repositoryNameOf } from "./repository-name.ts";

/**
 * Pull requests at github.com, GitHub Enterprise Cloud or Server.
 *
 * Calls are made one after the other, with GitHub's own pauses between writes. Limits of up to `waitMs`
 * are waited for, server errors and lost connections tried again twice; what lasts longer is thrown as a
 * transient failure.
 *
 * @throws SpeckitError `CONFIGURATION_INVALID`
 */
export function githubPullRequestHost(
  options: GitHubHostOptions,
): PullRequestHost & AsyncDisposable {
  const connection = openConnection(options);
  const host = webHostOf(connection.apiUrl);
  return {
    name: "github",
    serves: (gitRemote) => repositoryNameOf(gitRemote, host) !== undefined,
    async ensure(wanted, signal, onStep = async () => {}) {
      signal.throwIfAborted();
      const { gitRemote } = wanted;
      const name = repositoryNameOf(gitRemote, host);
      if (name === undefined) {
        throw new SpeckitError("REPOSITORY_NOT_FOUND", `${gitRemote}: no repository of ${host}`);
      }
      const at = { gitRemote, host, purpose: "push" } as const;
      const credential = await options.credentials.find(at, signal);
      if (credential === undefined) {
        throw new SpeckitError(
          "GIT_CREDENTIALS_MISSING",
          `${gitRemote}: a pull request needs a token for ${host}, and none is configured`,
        );
      }
      const about = { repository: `${name.owner}/${name.repo}`, host };
      const client = openClient(connection, options, credential.token, about, signal);
      const { draftLabel = "draft" } = options;
      return ensurePullRequest({ client, name, wanted, draftLabel, onStep });
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
