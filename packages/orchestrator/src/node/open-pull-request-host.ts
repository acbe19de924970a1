import { GITHUB_API_URL, webHostOf } from "../domain/git-hub-host.ts";
import type { GitCredentialSource } from "../ports/git-credentials.ts";
import type { Logger } from "../ports/logger.ts";
import type { PullRequestHost } from "../ports/pull-request-host.ts";
import type { OrchestratorConfig } from "./config.ts";

/** Credentials of the configured GitHub App, for git and the API alike; undefined without one. */
export async function openGitHubAppCredentials(
  { gitHub }: OrchestratorConfig,
  logger: Logger,
): Promise<(GitCredentialSource & AsyncDisposable) | undefined> {
  if (gitHub?.app === undefined) {
    return undefined;
  }
  const { id: appId, ...app } = gitHub.app;
  const { githubAppCredentials } = await import("../adapters/github/index.ts");
  return githubAppCredentials({
    ...app,
    appId,
    apiUrl: gitHub.apiUrl ?? GITHUB_API_URL,
    logger,
  });
}

/**
 * Where pull requests are made; undefined where none are: `none` is configured, or there is neither an
 * App nor a token for GitHub's host. Octokit is loaded only where it is used.
 *
 * @param credentials the same that git is given
 */
export async function openPullRequestHost(
  config: OrchestratorConfig,
  parts: { readonly credentials: GitCredentialSource; readonly logger: Logger },
): Promise<(PullRequestHost & AsyncDisposable) | undefined> {
  const apiUrl = config.gitHub?.apiUrl ?? GITHUB_API_URL;
  const host = webHostOf(apiUrl);
  const hasCredential =
    config.gitHub?.app !== undefined ||
    (config.gitCredentials ?? []).some((credential) => credential.host.toLowerCase() === host);
  if (config.pullRequestHost === "none" || !hasCredential) {
    return undefined;
  }
  const { githubPullRequestHost } = await import("../adapters/github/index.ts");
  return githubPullRequestHost({ apiUrl, ...parts });
}
