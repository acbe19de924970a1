import type { GitCredentialSource } from "../../ports/git-credentials.ts";
import type { Logger } from "../../ports/logger.ts";

/** The same source, with each token hidden from the log before anybody has it. */
export function hiddenCredentials(
  source: GitCredentialSource,
  logger: Logger,
): GitCredentialSource {
  return {
    async find(at, signal) {
      const credential = await source.find(at, signal);
      if (credential !== undefined) {
        logger.hide?.(credential.token);
      }
      return credential;
    },
  };
}
