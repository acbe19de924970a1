import type { Dispatcher } from "undici";
import { resetOfAnswer } from "./reset-time.ts";
import type { ProviderShape } from "./shapes/provider-shape.ts";
import { parsedJson } from "./sighting.ts";

const READ_BYTES = 64 * 1024;

export interface ErrorBody {
  /** At most its first 64 kB. */
  readonly body: Buffer;
  readonly errorCode: string | null;
  readonly resetsInMs: number | null;
}

/**
 * Reads what a provider says about an error.
 *
 * @param onHeard called for each piece that comes
 */
export async function readErrorBody(
  { body, headers }: Dispatcher.ResponseData,
  onHeard: () => void,
  now: Date,
  shape: Pick<ProviderShape, "errorOf" | "errorCodeOf">,
): Promise<ErrorBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop early closes the connection: nobody needs the rest.
  for await (const chunk of body) {
    onHeard();
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes >= READ_BYTES) {
      break;
    }
  }
  const read = Buffer.concat(chunks).subarray(0, READ_BYTES);
  const error = shape.errorOf(parsedJson(read.toString("utf8")));
  return {
    body: read,
    errorCode: shape.errorCodeOf(error),
    resetsInMs: resetOfAnswer(headers, error, now),
  };
}
