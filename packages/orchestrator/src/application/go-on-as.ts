import type { RunCommand } from "../contract/run-command.ts";
import { canonicalJson } from "../domain/canonical-json.ts";
import { runNotFound } from "../domain/speckit-error.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { NewRun } from "../ports/run-repository.ts";
import type { AppliedCommand } from "./apply-command.ts";
import { admit, type SubmitDependencies, storeAndWake } from "./submit-run.ts";

/**
 * Makes the new run of a command that goes on from one that has ended. Its id is the command's.
 *
 * @param judge what the new run carries out of the old one's request, or throws why it cannot
 * @throws SpeckitError `REPOSITORY_NOT_ALLOWED`, `RUN_NOT_FOUND`, `BRANCH_BUSY`, `COMMAND_CONFLICT`
 */
export async function goOnAs(
  deps: SubmitDependencies,
  command: Extract<RunCommand, { readonly command: "retry" | "publish" }>,
  judge: (old: RunRecord) => Pick<NewRun, "request" | "pipeline">,
): Promise<AppliedCommand> {
  const { runId, commandId, command: by } = command;
  const old = await deps.runs.findRun(runId);
  if (old === undefined) {
    throw runNotFound(runId);
  }
  const judged = judge(old);
  admit(deps, judged.request);
  // Its keys are the old run's: this one is found by its own id.
  const { runId: _runId, idempotencyKey: _key, ...request } = judged.request;
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
      pipeline: judged.pipeline,
      replyTo: undefined,
      correlationId: undefined,
      goesOn: { by, from: old.runId },
    },
    "COMMAND_CONFLICT",
  );
  return { isNew, newRunId: run.runId };
}
