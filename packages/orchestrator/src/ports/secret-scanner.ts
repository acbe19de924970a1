/** A secret in a text. */
export interface SecretFound {
  /** Stable name of the rule that found it, for example `aws/AWSSecretAccessKey`. */
  readonly rule: string;
  /** Line it begins on, the first is 1. */
  readonly line: number;
  /** The secret itself: to be compared, never shown or kept. */
  readonly secret: string;
}

/** Knows what secrets look like: keys, tokens, private keys, passwords in addresses. */
export interface SecretScanner {
  /**
   * Everything in the text that looks like a secret, in its order; no comment in it can turn that off.
   *
   * @param path by whose ending some rules go
   */
  readonly scan: (path: string, text: string) => Promise<readonly SecretFound[]>;
}
