import type { RunCommand } from "../contract/run-command.ts";
import { PUBLISHING_PHASES } from "../domain/phase.ts";
import { SpeckitError } from "../domain/speckit-error.ts";
import type { RunRecord } from "../ports/run-record.ts";
import type { AppliedCommand } from "./apply-command.ts";
import { goOnAs } from "./go-on-as.ts";
import type { SubmitDependencies } from "./submit-run.ts";

/**
 * Makes a new run that publishes what another one has made and not brought to people: a dry run, or
 * one that failed or was cancelled after its last agent phase. It pushes the stored commits to the
 * same branch and opens the pull request; no agent works again. Its id is the command's.
 *
 * @throws SpeckitError `REPOSITORY_NOT_ALLOWED`, `RUN_NOT_FOUND`, `RUN_NOT_PUBLISHABLE`, `BRANCH_BUSY`, `COMMAND_CONFLICT`
 */
export async function publishRun(
  deps: SubmitDependencies,
  command: Extract<RunCommand, { readonly command: "publish" }>,
): Promise<AppliedCommand> {
  return goOnAs(deps, command, (old) => {
    const problem = whyNotPublishable(old);
    if (problem !== undefined) {
      throw new SpeckitError("RUN_NOT_PUBLISHABLE", `Run ${old.runId} ${problem}`);
    }
    const { dryRun: _dryRun, pauseAfter: _pauseAfter, ...request } = old.request;
    return { request, pipeline: PUBLISHING_PHASES };
  });
}

/** @returns undefined when there is something to publish */
export function whyNotPublishable(old: RunRecord): string | undefined {
  if (old.outcome === null) {
    return `is ${old.status}, expected one that has ended`;
  }
  if (old.tipSha === null || old.tipSha === old.baseSha) {
    return "has changed nothing";
  }
  if (old.phaseIx < old.pipeline.indexOf("publish")) {
    return `has ended at ${old.pipeline[old.phaseIx]}, before there was anything whole to publish: retry goes on with it`;
  }
  return old.outcome === "succeeded" && old.request.dryRun !== true
    ? "has published everything"
    : undefined;
}
