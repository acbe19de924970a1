import type { RunCommand } from "../contract/run-command.ts";
import { wakeUp } from "../contract/wake-up.ts";
import { canonicalJson } from "../domain/canonical-json.ts";
import type { ErrorCode } from "../domain/error-codes.ts";
import { SpeckitError } from "../domain/speckit-error.ts";
import type { CommandRefusal } from "../ports/run-repository.ts";
import { publishRun } from "./publish-run.ts";
import { retryRun } from "./retry-run.ts";
import type { SubmitDependencies } from "./submit-run.ts";

export interface AppliedCommand {
  /** false: this command was taken before, or what it asks for held already. */
  readonly isNew: boolean;
  /** retry and publish: the run that goes on. */
  readonly newRunId?: string;
}

const CODES: Readonly<Record<CommandRefusal, ErrorCode>> = {
  "no such run": "RUN_NOT_FOUND",
  "the run has ended": "RUN_ENDED",
  "another command has this id": "COMMAND_CONFLICT",
  "nothing is asked": "ANSWER_REFUSED",
  "another round is asked": "ANSWER_REFUSED",
  "more answers than questions": "ANSWER_REFUSED",
  "nothing waits for approval": "DECISION_REFUSED",
  "another result waits for approval": "DECISION_REFUSED",
};

/**
 * Takes a command, from whichever door. Its row is the truth; the wake-up that follows only shortens
 * the wait, and the sweeper looks in 5 s when it is lost. A cancel is for an owner: it hears of it at
 * once, or with its next renewal.
 *
 * @throws SpeckitError `RUN_NOT_FOUND`, `RUN_ENDED`, `RUN_NOT_RETRYABLE`, `RUN_NOT_PUBLISHABLE`,
 * `ANSWER_REFUSED`, `DECISION_REFUSED`, `COMMAND_CONFLICT`, those of a request for `retry` and
 * `publish`, or `DATABASE_UNAVAILABLE`
 */
export async function applyCommand(
  deps: SubmitDependencies,
  command: RunCommand,
): Promise<AppliedCommand> {
  if (command.command === "retry") {
    return retryRun(deps, command);
  }
  if (command.command === "publish") {
    return publishRun(deps, command);
  }
  const { runId } = command;
  const verdict = await deps.runs.storeCommand(
    command,
    deps.identity.sha256(canonicalJson(command)),
  );
  if (!verdict.taken) {
    throw new SpeckitError(
      CODES[verdict.because],
      `${command.command} of run ${runId}: ${verdict.because}`,
    );
  }
  await deps.reach?.("command.stored", { runId });
  try {
    await deps.transport.publishWakeUp(wakeUp(runId), { to: "work" });
    if (command.command === "cancel") {
      await deps.transport.publishHint(runId);
    }
  } catch (error) {
    deps.logger.warn("nobody told of the command, the sweeper looks", {
      runId,
      error: String(error),
    });
  }
  return { isNew: verdict.isNew };
}
