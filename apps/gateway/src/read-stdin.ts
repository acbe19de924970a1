import { text } from "node:stream/consumers";
import { SpeckitError } from "@speckit/orchestrator";

/** Whoever starts a gateway writes at once; one that died before it did must not leave it waiting. */
const WITHIN_MS = 15_000;

/** @throws SpeckitError `CONFIGURATION_INVALID` when stdin has no end within 15 s */
export async function readStdin(): Promise<string> {
  const timer = setTimeout(() => process.stdin.destroy(), WITHIN_MS);
  try {
    return await text(process.stdin);
  } catch (cause) {
    throw new SpeckitError(
      "CONFIGURATION_INVALID",
      `stdin: expected the configuration within ${WITHIN_MS / 1000} s`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}
