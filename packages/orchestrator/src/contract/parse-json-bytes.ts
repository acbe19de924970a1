import { SpeckitError } from "../domain/speckit-error.ts";
import { REQUEST_MAX_BYTES } from "./limits.ts";

/**
 * Reads a message's bytes as they came through the public door.
 *
 * @param thing what it should be, for the message: `request` or `command`
 * @throws SpeckitError `REQUEST_TOO_LARGE` or `REQUEST_NOT_JSON`
 */
export function parseJsonBytes(bytes: Uint8Array, thing: string): unknown {
  if (bytes.byteLength > REQUEST_MAX_BYTES) {
    throw new SpeckitError(
      "REQUEST_TOO_LARGE",
      `The ${thing} has ${bytes.byteLength} bytes, at most ${REQUEST_MAX_BYTES} are taken`,
    );
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    const message =
      bytes.byteLength === 0
        ? `The ${thing} is empty, expected a JSON object`
        : `The ${thing} is not a JSON document in UTF-8`;
    throw new SpeckitError("REQUEST_NOT_JSON", message, { cause });
  }
}
