/** A file kept as evidence. Its row in the database has the same facts. */
export interface StoredArtifact {
  /** Path inside the run's folder, `/`-separated, for example `plan-1/stdout.log`. */
  readonly name: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** More came than the store keeps of one; its last line says how much. */
  readonly truncated?: true;
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
  /**
   * The content in pieces. With what is on record of it, that is compared when all of it has come.
   *
   * @throws SpeckitError `ARTIFACT_NOT_HERE` when this store has no such artifact, `ARTIFACT_DAMAGED`
   * at the end of one that is not as recorded
   */
  readonly read: (
    runId: string,
    name: string,
    recorded?: Pick<StoredArtifact, "bytes" | "sha256">,
  ) => AsyncIterable<Uint8Array>;
  /**
   * Names of what is kept of a run here, in order, with what should not be there: names that no
   * artifact can have too. What is still being written, or was when its writer died, is not among them.
   */
  readonly list: (runId: string) => Promise<readonly string[]>;
  /** Ids of runs that something is kept of here. */
  readonly runsHere: () => Promise<readonly string[]>;
  /**
   * Deletes all that is kept of a run here. Readers see all of it or nothing; what a crash leaves is
   * deleted by {@link removeLeftovers}. Fine when there is nothing, or somebody else deletes it.
   *
   * @returns how many bytes that were; undefined: there was nothing, or somebody else has it
   */
  readonly removeRun: (runId: string) => Promise<number | undefined>;
  /** Ends deletions that a crash has cut short. */
  readonly removeLeftovers: () => Promise<void>;
}
