import type { StoredArtifact } from "../../ports/artifact-store.ts";
import type { AttemptRecord, RunRecord } from "../../ports/run-record.ts";
import type { RunSurroundings } from "../../ports/run-surroundings.ts";

/** All that an explanation is made from. */
export interface RunFacts {
  readonly run: RunRecord;
  /** Oldest first. */
  readonly attempts: readonly AttemptRecord[];
  readonly artifacts: readonly StoredArtifact[];
  readonly around: RunSurroundings;
}
