import type { RunCommand } from "../contract/run-command.ts";
import { SpeckitError } from "../domain/speckit-error.ts";
import type { AppliedCommand } from "./apply-command.ts";
import { goOnAs } from "./go-on-as.ts";
import type { SubmitDependencies } from "./submit-run.ts";

/**
 * Makes a new run that goes on from the last good phase of one that failed or was cancelled: on the
 * same branch, with the same request, from the same base. An outcome never changes, so the old run
 * stays as it is. The new run's id is the command's: the same command twice makes one run.
 *
 * @throws SpeckitError `REPOSITORY_NOT_ALLOWED`, `RUN_NOT_FOUND`, `RUN_NOT_RETRYABLE`, `BRANCH_BUSY`, `COMMAND_CONFLICT`
 */
export async function retryRun(
  deps: SubmitDependencies,
  command: Extract<RunCommand, { readonly command: "retry" }>,
): Promise<AppliedCommand> {
  return goOnAs(deps, command, (old) => {
    if (old.outcome !== "failed" && old.outcome !== "cancelled") {
      throw new SpeckitError(
        "RUN_NOT_RETRYABLE",
        `Run ${old.runId} is ${old.status}, expected failed or cancelled`,
      );
    }
    return { request: old.request, pipeline: old.pipeline };
  });
}
