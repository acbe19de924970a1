import type { ErrorCode } from "../../domain/error-codes.ts";
import { isSpeckitError, SpeckitError } from "../../domain/speckit-error.ts";

/** errno names with a code of their own; every other one is `INTERNAL_ERROR`. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
};

/** What a failed file operation on an artifact means. */
export function diskError(cause: unknown, doing: string): SpeckitError {
  if (isSpeckitError(cause)) {
    return cause;
  }
  const errno = (cause as NodeJS.ErrnoException | null)?.code ?? "unknown error";
  return new SpeckitError(CODES[errno] ?? "INTERNAL_ERROR", `${doing} failed (${errno})`, {
    cause,
  });
}
