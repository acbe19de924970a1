import type { RunCommand } from "../contract/run-command.ts";
import { canonicalJson } from "../domain/canonical-json.ts";
import { SpeckitError } from "../domain/speckit-error.ts";
import type { AppliedCommand } from "./apply-command.ts";
import { admit, type SubmitDependencies, storeAndWake } from "./submit-run.ts";

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
  const { runId, commandId } = command;
  const old = await deps.runs.findRun(runId);
  if (old === undefined) {
    throw new SpeckitError("RUN_NOT_FOUND", `There is no run ${runId}`);
  }
  if (old.outcome !== "failed" && old.outcome !== "cancelled") {
    throw new SpeckitError(
      "RUN_NOT_RETRYABLE",
      `Run ${runId} is ${old.status}, expected failed or cancelled`,
    );
  }
  admit(deps, old.request);
  // Its keys are the old run's: this one is found by its own id.
  const { runId: _runId, idempotencyKey: _key, ...request } = old.request;
  const { isNew, run } = await storeAndWake(
    deps,
    {
      runId: commandId,
      request,
      requestHash: deps.identity.sha256(canonicalJson(command)),
      repository: old.repository,
      gitRemote: old.gitRemote,
      branch: old.branch,
      agent: old.agent,
      pipeline: old.pipeline,
      replyTo: undefined,
      correlationId: undefined,
      retryOf: old.runId,
    },
    "COMMAND_CONFLICT",
  );
  return { isNew, newRunId: run.runId };
}
