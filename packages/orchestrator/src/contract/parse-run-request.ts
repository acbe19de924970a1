import type { z } from "zod";
import { SpeckitError } from "../domain/speckit-error.ts";
import { REQUEST_MAX_BYTES } from "./limits.ts";
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
  if (bytes.byteLength > REQUEST_MAX_BYTES) {
    throw new SpeckitError(
      "REQUEST_TOO_LARGE",
      `The request has ${bytes.byteLength} bytes, at most ${REQUEST_MAX_BYTES} are taken`,
    );
  }
  const received = parseJson(bytes);
  return { request: parseRunRequest(received), received };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw notJson(bytes, cause);
  }
}

function notJson(bytes: Uint8Array, cause: unknown): SpeckitError {
  const message =
    bytes.byteLength === 0
      ? "The request is empty, expected a JSON object"
      : "The request is not a JSON document in UTF-8";
  return new SpeckitError("REQUEST_NOT_JSON", message, { cause });
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
  const issues = parsed.error.issues.slice(0, 5).map(describe);
  const onlyRepository = parsed.error.issues.every((issue) => issue.path[0] === "repository");
  throw new SpeckitError(
    onlyRepository ? "REPOSITORY_INVALID" : "REQUEST_INVALID",
    issues.join("; "),
  );
}

function describe(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? "the request" : issue.path.map(shown).join(".");
  if (issue.code === "unrecognized_keys") {
    return `${where}: unknown field ${issue.keys.slice(0, 5).map(quoted).join(", ")}`;
  }
  return `${where}: ${issue.message}`;
}

/** Names come from outside: they are cut, and quoted unless plain, or a name could write log lines. */
function shown(name: PropertyKey): string {
  const text = String(name);
  return /^\w{1,60}$/.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  // JSON leaves what steers a terminal or a reader's eye as it is.
  return JSON.stringify(text.slice(0, 60)).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16)}}`,
  );
}
