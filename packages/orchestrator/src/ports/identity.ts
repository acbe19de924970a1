/** Makes and derives identifiers. */
export interface Identity {
  /** A new UUID, version 7. */
  readonly newRunId: () => string;
  /** Lower-case hex SHA-256 of a text's UTF-8 bytes. */
  readonly sha256: (text: string) => string;
}
