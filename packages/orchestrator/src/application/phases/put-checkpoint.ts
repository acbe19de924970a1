import type { ArtifactStore, StoredArtifact } from "../../ports/artifact-store.ts";

export const CHECKPOINT_ARTIFACT = "checkpoint.bundle";

/**
 * Keeps the run's last checkpoint as an artifact. Only once there will be no other: written phase by
 * phase, a file of this name would be ahead of its row whenever a phase is cut before its commit.
 */
export function putCheckpoint(
  artifacts: ArtifactStore,
  runId: string,
  bundle: Uint8Array,
): Promise<StoredArtifact> {
  return artifacts.put(runId, CHECKPOINT_ARTIFACT, bundle);
}
