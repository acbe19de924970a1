import { SpeckitError } from "../domain/speckit-error.ts";
import { describeIssues } from "./describe-issues.ts";
import { parseJsonBytes } from "./parse-json-bytes.ts";
import { type RunRequest, runRequestSchema } from "./run-request.ts";

/**
 * Reads a request's bytes as they came from outside.
 *
 * @throws SpeckitError `REQUEST_TOO_LARGE`, `REQUEST_NOT_JSON` or `REQUEST_INVALID`, naming each field
 */
export function parseRunRequestBytes(bytes: Uint8Array): {
  request: RunRequest;
  received: unknown;
} {
  const received = parseJsonBytes(bytes, "request");
  return { request: parseRunRequest(received), received };
}

/**
 * Checks a request's shape. Does not look at the deployment (allow-list, backends).
 *
 * @throws SpeckitError `REQUEST_INVALID` or `REPOSITORY_INVALID`
 */
export function parseRunRequest(received: unknown): RunRequest {
  const parsed = runRequestSchema.safeParse(received);
  if (parsed.success) {
    return parsed.data;
  }
  const { issues } = parsed.error;
  const onlyRepository = issues.every((issue) => issue.path[0] === "repository");
  throw new SpeckitError(
    onlyRepository ? "REPOSITORY_INVALID" : "REQUEST_INVALID",
    describeIssues(issues, "the request"),
  );
}
