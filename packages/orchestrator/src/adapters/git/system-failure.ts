import { SpeckitError } from "../../domain/speckit-error.ts";

/**
 * A system call of ours that failed, as an error of the catalogue; any other error as it is. While a
 * workspace is read it means that something still changes it, or that it is gone.
 */
export function systemFailure(operation: string, error: unknown): unknown {
  const { code, syscall } = Object(error) as {
    readonly code?: unknown;
    readonly syscall?: unknown;
  };
  if (typeof code !== "string" || typeof syscall !== "string") {
    return error;
  }
  const says = `${operation}: ${syscall} said ${code}`;
  return code === "ENOSPC" || code === "EDQUOT"
    ? new SpeckitError("DISK_FULL", says, { cause: error })
    : new SpeckitError("GIT_FAILED", says, { cause: error });
}
