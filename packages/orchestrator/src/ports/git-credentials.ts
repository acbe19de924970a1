/** What one host is told who we are by. */
export interface GitCredential {
  /** `host`, or `host:port` where the port is not 443. */
  readonly host: string;
  readonly username: string;
  readonly token: string;
}

/** Where credentials come from: asked before each use, so that they may be minted and live shortly. */
export interface GitCredentialSource {
  /**
   * The credential for a remote, undefined when there is none for its host.
   *
   * @throws SpeckitError when one should be there and cannot be had
   */
  readonly find: (
    at: {
      readonly gitRemote: string;
      /** Lower case, with the port unless it is 443. */
      readonly host: string;
      readonly purpose: "read" | "push";
    },
    signal: AbortSignal,
  ) => Promise<GitCredential | undefined>;
}
