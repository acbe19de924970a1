import { runNotFound, SpeckitError } from "../domain/speckit-error.ts";
import type { Dependencies } from "./dependencies.ts";

/** What is released is not deleted the same moment: time to think again. */
const GRACE_MS = 86_400_000;
const MAX_REASON = 1_000;

/**
 * Keeps a run's artifacts and rows until they are released, whatever their age.
 *
 * @throws SpeckitError `RUN_NOT_FOUND`, `ARTIFACTS_EXPIRED` when there is nothing to keep any more,
 * `REQUEST_INVALID` for a reason that is too long
 */
export async function keepArtifacts(
  { runs }: Pick<Dependencies, "runs">,
  runId: string,
  reason: string | undefined,
): Promise<void> {
  if (reason !== undefined && reason.length > MAX_REASON) {
    throw new SpeckitError(
      "REQUEST_INVALID",
      `reason: expected at most ${MAX_REASON} characters, got ${reason.length}`,
    );
  }
  switch (await runs.keepRun(runId, reason ?? null)) {
    case "kept":
      return;
    case "no such run":
      throw runNotFound(runId);
    case "its artifacts are deleted":
      throw new SpeckitError("ARTIFACTS_EXPIRED", `The artifacts of run ${runId} were deleted`);
  }
}

/** Lets their time count again; it ends a day from now at the earliest. @throws SpeckitError `RUN_NOT_FOUND` */
export async function releaseArtifacts(
  { runs }: Pick<Dependencies, "runs">,
  runId: string,
): Promise<void> {
  if (!(await runs.releaseKeptRun(runId, GRACE_MS))) {
    throw runNotFound(runId);
  }
}
