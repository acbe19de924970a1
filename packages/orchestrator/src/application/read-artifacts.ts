import { runNotFound, SpeckitError } from "../domain/speckit-error.ts";
import type { StoredArtifact } from "../ports/artifact-store.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { Dependencies } from "./dependencies.ts";

/** What is on record of a run's artifacts. */
export interface ArtifactListing {
  readonly runId: string;
  /** What there is, or was: see `deletedAt`. */
  readonly artifacts: readonly StoredArtifact[];
  /** Kept at least until then; null while the run is not over. */
  readonly expireAt: Date | null;
  /** Then they were deleted; null: they are kept. */
  readonly deletedAt: Date | null;
  /** Somebody keeps them whatever their age. */
  readonly kept: { readonly since: Date; readonly reason: string | null } | null;
}

/** @throws SpeckitError `RUN_NOT_FOUND` */
export async function listArtifacts(
  { runs }: Pick<Dependencies, "runs">,
  runId: string,
): Promise<ArtifactListing> {
  const run = await runOf(runs, runId);
  return {
    runId: run.runId,
    artifacts: await runs.artifactsOf(run.runId),
    expireAt: run.artifactsExpireAt,
    deletedAt: run.artifactsDeletedAt,
    kept: run.keptAt === null ? null : { since: run.keptAt, reason: run.keptReason },
  };
}

/**
 * An artifact's content in pieces, from this machine's state folder. Of a run that is over, what was
 * read is compared with what is on record when all of it has come.
 *
 * @throws SpeckitError `RUN_NOT_FOUND`, `ARTIFACTS_EXPIRED`, `ARTIFACT_NOT_FOUND`, `ARTIFACT_NOT_HERE`,
 * `ARTIFACT_DAMAGED`
 */
export async function* readArtifact(
  { runs, artifacts }: Pick<Dependencies, "runs" | "artifacts">,
  runId: string,
  name: string,
): AsyncGenerator<Uint8Array, void> {
  const run = await runOf(runs, runId);
  if (run.artifactsDeletedAt !== null) {
    throw new SpeckitError(
      "ARTIFACTS_EXPIRED",
      `The artifacts of run ${run.runId} were deleted at ${run.artifactsDeletedAt.toISOString()}`,
    );
  }
  const recorded = (await runs.artifactsOf(run.runId)).find((artifact) => artifact.name === name);
  if (recorded === undefined) {
    throw new SpeckitError("ARTIFACT_NOT_FOUND", `Run ${run.runId} has no artifact ${name}`);
  }
  // While a run is live, a newer file may be there before its row is.
  const isSettled = run.cleanedAt !== null;
  yield* artifacts.read(run.runId, name, isSettled ? recorded : undefined);
}

/** @throws SpeckitError `RUN_NOT_FOUND` */
export async function runOf(runs: Dependencies["runs"], runId: string): Promise<RunRecord> {
  const run = await runs.findRun(runId);
  if (run === undefined) {
    throw runNotFound(runId);
  }
  return run;
}
