import type { ErrorCode } from "./error-codes.ts";
import {
  type Disposition,
  dispositionOf,
  type Failure,
  type FailureClass,
  type Finding,
  failure,
} from "./failure.ts";

/**
 * A {@link Failure} on its way up the stack. Match on `code`: the class may have crossed a store, a
 * queue or a second copy of this package, where `instanceof` no longer holds.
 */
export class SpeckitError extends Error {
  override readonly name = "SpeckitError";
  readonly failure: Failure;

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      readonly remedy?: string;
      readonly findings?: readonly Finding[];
      /** When the limit behind it ends, ISO 8601. */
      readonly resetsAt?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.failure = failure(code, message, more);
  }

  get code(): ErrorCode {
    return this.failure.code;
  }

  get class(): FailureClass {
    return this.failure.class;
  }

  get disposition(): Disposition {
    return dispositionOf(this.failure.class);
  }
}

export function isSpeckitError(error: unknown): error is SpeckitError {
  return error instanceof Error && "failure" in error && "disposition" in error;
}

/** The lease moved on: another worker owns this run. Not a failure of the run; write nothing more. */
export function fencedError(runId: string, heldEpoch: number): SpeckitError {
  return new SpeckitError(
    "RUN_FENCED",
    `Run ${runId}: epoch ${heldEpoch} is no longer the owner's`,
  );
}

/**
 * The failure an error stands for. A foreign error is a bug or a fault nobody has named yet: it is
 * transient, so that its retry budget ends it.
 */
export function failureOf(error: unknown): Failure {
  if (isSpeckitError(error)) {
    return error.failure;
  }
  const text = error instanceof Error ? error.message : String(error);
  return failure("INTERNAL_ERROR", `Unexpected error: ${text.split("\n", 1)[0] ?? ""}`);
}

/** There is no run of this id. */
export function runNotFound(runId: string): SpeckitError {
  return new SpeckitError("RUN_NOT_FOUND", `There is no run ${runId}`);
}
