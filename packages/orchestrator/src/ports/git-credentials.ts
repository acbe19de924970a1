/** A credential for one https host. Never given to any other host, and never to ssh. */
export interface GitCredential {
  /** `github.com`, or `host:port` where the port is not 443. */
  readonly host: string;
  readonly username: string;
  readonly token: string;
}

/** What a command is about to do with a credential. */
export interface GitCredentialUse {
  /** As the run has it. */
  readonly gitRemote: string;
  /** Lower case, with the port unless it is 443. */
  readonly host: string;
  /** `push` writes; everything else that talks to a remote is `read`. */
  readonly purpose: "read" | "push";
}

/**
 * Where credentials for git come from: a fixed list, or a service that makes them for an hour.
 *
 * It is asked before each command that talks to an https remote, often several times a minute: keep
 * what is still good. Nobody stores what it answers; it is in no argv, file or log line.
 */
export interface GitCredentialSource {
  /**
   * The credential for a remote, or undefined to go there without one. One for another host than the
   * asked one is not used. Bounds its own time.
   *
   * @throws SpeckitError when there should be one and cannot be had now; it passes through as it is
   */
  readonly find: (at: GitCredentialUse, signal: AbortSignal) => Promise<GitCredential | undefined>;
}
