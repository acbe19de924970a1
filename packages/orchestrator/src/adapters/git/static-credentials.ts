import type { GitCredential, GitCredentialSource } from "../../ports/git-credentials.ts";
import { httpsHost } from "./checked-remote.ts";

/** Credentials that are known from the start; of two for one host the first is used. */
export function staticCredentials(credentials: readonly GitCredential[]): GitCredentialSource {
  return {
    find: async ({ host }) => credentials.find((one) => httpsHost(one.host) === host),
  };
}
