import { type ExitCode, exitCodeOfFailure, failureOf } from "@speckit/orchestrator";
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
    return error.exitCode === 0 ? 0 : 2;
  }
  const failure = failureOf(error);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ status: "rejected", runId: null, failure })}\n`);
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
