/** A file kept as evidence. Its row in the database has the same facts. */
export interface StoredArtifact {
  /** Path inside the run's folder, `/`-separated, for example `plan-1/stdout.log`. */
  readonly name: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** An artifact being written piece by piece; memory stays bounded whatever its size. */
export interface ArtifactWriter {
  /** Resolves when the piece may be dropped. Past the store's limit pieces are counted, not kept. */
  readonly write: (piece: Uint8Array) => Promise<void>;
  /**
   * Makes the artifact visible under its name. The end of a truncated one says so in its last line.
   */
  readonly close: () => Promise<StoredArtifact>;
  /** Removes what was written. */
  readonly discard: () => Promise<void>;
}

/** Keeps files of runs. Names cannot leave the run's folder. */
export interface ArtifactStore {
  /**
   * @throws SpeckitError `INTERNAL_ERROR` for a name with `..`, an absolute one, an empty part, a
   * backslash or a control character
   */
  readonly open: (runId: string, name: string) => Promise<ArtifactWriter>;
  /** Writes a whole artifact; a second one of the same name replaces the first. */
  readonly put: (
    runId: string,
    name: string,
    content: Uint8Array | string,
  ) => Promise<StoredArtifact>;
  /** The content in pieces. @throws SpeckitError when there is no such artifact */
  readonly read: (runId: string, name: string) => AsyncIterable<Uint8Array>;
}
