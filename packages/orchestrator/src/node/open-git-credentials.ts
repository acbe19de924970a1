import { hiddenCredentials, staticCredentials } from "../adapters/git/index.ts";
import type { GitCredentialSource } from "../ports/git-credentials.ts";
import type { Logger } from "../ports/logger.ts";
import type { OrchestratorConfig } from "./config.ts";
import { openGitHubAppCredentials } from "./open-pull-request-host.ts";

/**
 * Where git and the host of pull requests get their credentials: a GitHub App for its repositories,
 * else those of the configuration. No log shows what comes from there.
 */
export async function openGitCredentials(
  config: OrchestratorConfig,
  logger: Logger,
): Promise<GitCredentialSource & AsyncDisposable> {
  const configured = staticCredentials(config.gitCredentials ?? []);
  const app = await openGitHubAppCredentials(config, logger);
  const source: GitCredentialSource = {
    find: async (at, signal) =>
      (await app?.find(at, signal)) ?? (await configured.find(at, signal)),
  };
  return {
    ...hiddenCredentials(source, logger),
    [Symbol.asyncDispose]: async () => app?.[Symbol.asyncDispose](),
  };
}
