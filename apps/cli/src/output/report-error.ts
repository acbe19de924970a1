import {
  type ExitCode,
  exitCodeOfFailure,
  type Failure,
  failureOf,
  SpeckitError,
} from "@speckit/orchestrator";
import { CommanderError } from "commander";

/**
 * Tells a command's failure: what, and what to do about it. A stack trace only when asked for.
 *
 * @returns the exit code it stands for
 */
export function reportError(
  error: unknown,
  options: { readonly json: boolean; readonly verbose: boolean },
): ExitCode {
  if (error instanceof CommanderError) {
    // Commander has printed its own message, or the help that was asked for.
    if (error.exitCode !== 0 && options.json) {
      printRejection(wrongUse(error));
    }
    return error.exitCode === 0 ? 0 : 2;
  }
  const failure = failureOf(error);
  if (options.json) {
    printRejection(failure);
  }
  process.stderr.write(`speckit: ${failure.code}: ${failure.message}\n  ${failure.remedy}\n`);
  if (options.verbose && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ""}\n`);
    if (error.cause instanceof Error) {
      process.stderr.write(`caused by ${error.cause.stack ?? ""}\n`);
    }
  }
  return exitCodeOfFailure(failure);
}

function printRejection(failure: Failure): void {
  process.stdout.write(`${JSON.stringify({ status: "rejected", runId: null, failure })}\n`);
}

function wrongUse({ message }: CommanderError): Failure {
  return failureOf(
    new SpeckitError("REQUEST_INVALID", message.replace(/^error: /, ""), {
      remedy:
        "`npx speckit help <command>` shows how it is called; a sentence that begins with - comes after --.",
    }),
  );
}
