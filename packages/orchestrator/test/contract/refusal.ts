import { parseRunRequestBytes } from "../../src/contract/index.ts";
import { SpeckitError } from "../../src/domain/speckit-error.ts";

/** The smallest request there is. */
export const minimal = {
  schemaVersion: 1,
  repository: "owner/name",
  specifyText: "Add OAuth login",
};

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The error a request's bytes are refused with; anything but a SpeckitError fails the test. */
export function refusalOf(bytes: Uint8Array): SpeckitError {
  try {
    parseRunRequestBytes(bytes);
  } catch (error) {
    if (error instanceof SpeckitError) {
      return error;
    }
    throw error;
  }
  throw new Error(`Accepted: ${new TextDecoder().decode(bytes.slice(0, 200))}`);
}

export const refusalOfJson = (value: unknown): SpeckitError =>
  refusalOf(bytesOf(JSON.stringify(value)));
