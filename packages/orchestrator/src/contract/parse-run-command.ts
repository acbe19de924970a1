import { SpeckitError } from "../domain/speckit-error.ts";
import { describeIssues } from "./describe-issues.ts";
import { parseJsonBytes } from "./parse-json-bytes.ts";
import { type RunCommand, runCommandSchema } from "./run-command.ts";

/**
 * Reads a command's bytes as they came from outside.
 *
 * @throws SpeckitError `REQUEST_TOO_LARGE`, `REQUEST_NOT_JSON` or `REQUEST_INVALID`, naming each field
 */
export function parseRunCommandBytes(bytes: Uint8Array): RunCommand {
  return parseRunCommand(parseJsonBytes(bytes, "command"));
}

/** Checks a command's shape; its ids in lower case. @throws SpeckitError `REQUEST_INVALID` */
export function parseRunCommand(received: unknown): RunCommand {
  const parsed = runCommandSchema.safeParse(received);
  if (!parsed.success) {
    throw new SpeckitError("REQUEST_INVALID", describeIssues(parsed.error.issues, "the command"));
  }
  const { commandId, runId } = parsed.data;
  return {
    ...parsed.data,
    commandId: commandId.toLowerCase(),
    runId: runId.toLowerCase(),
  };
}
