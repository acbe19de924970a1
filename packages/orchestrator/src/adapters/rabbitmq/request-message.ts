import { v5, v7 } from "uuid";
import { parseRunRequestBytes } from "../../contract/parse-run-request.ts";
import type { RunRequest } from "../../contract/run-request.ts";

/** Of the ids made from idempotency keys; never changes, or a repeated key would be a second run. */
const KEYS_NAMESPACE = "6a1f5b0e-2c1d-4f0a-9d43-7c1b8f0e5a52";

export interface RequestMessage {
  /** In lower case, as the run has it. */
  readonly runId: string;
  readonly body: Buffer;
}

/**
 * A request as it is published: with a `runId`, so that the same message delivered twice is one run.
 * One that has an `idempotencyKey` alone gets its id from the key: the same key makes the same
 * message, from any process.
 *
 * @throws SpeckitError `REQUEST_INVALID`, `REPOSITORY_INVALID` or `REQUEST_TOO_LARGE`
 */
export function requestMessage(request: RunRequest): RequestMessage {
  const runId = request.runId ?? idOf(request.idempotencyKey);
  const body = Buffer.from(JSON.stringify({ ...request, runId }));
  parseRunRequestBytes(body);
  return { runId: runId.toLowerCase(), body };
}

function idOf(idempotencyKey: string | undefined): string {
  return idempotencyKey === undefined ? v7() : v5(idempotencyKey, KEYS_NAMESPACE);
}
