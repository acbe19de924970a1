import type { GitCredentialSource } from "../../ports/git-credentials.ts";
import type { Logger } from "../../ports/logger.ts";

/** How GitHub's API is reached. */
export interface GitHubReach {
  /** Default `https://api.github.com`; Enterprise Server: `https://ghe.example.org/api/v3`. */
  readonly apiUrl?: string;
  /** Default `speckit`. */
  readonly userAgent?: string;
  /**
   * Variables of this machine: proxies (`HTTPS_PROXY`, `NO_PROXY` …) and certificate authorities
   * (`GIT_SSL_CAINFO`, `SSL_CERT_FILE`), the same that git is given. Default `process.env`.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Longest silence of the host in one call. Default 30 000. */
  readonly timeoutMs?: number;
  /** How long all calls of one piece of work wait for rate limits together. Default 60 000. */
  readonly waitMs?: number;
  /**
   * How long a second lasts: for tests that wait for limits. 0 also leaves out the pauses between two
   * writes that GitHub asks for. Default 1 000.
   */
  readonly secondMs?: number;
}

export interface GitHubHostOptions extends GitHubReach {
  /** Asked for a credential of the purpose `push` before each piece of work. */
  readonly credentials: GitCredentialSource;
  /** Label of a pull request that should be a draft where the repository has no drafts. Default `draft`. */
  readonly draftLabel?: string;
}
