import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";

/** What kind of thing went wrong; everything else about a failure's handling follows from it. */
export const FAILURE_CLASSES = [
  "transient",
  "timeout",
  "invalid_output",
  "rate_limited",
  "quota",
  "interrupted",
  "host_lost",
  "needs_input",
  "permanent",
  "bad_message",
  "fenced",
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** What happens next because of a failure. */
export type Disposition = "retry" | "wait" | "restart" | "pause" | "fail" | "reject" | "stop";

const DISPOSITIONS: Readonly<Record<FailureClass, Disposition>> = {
  transient: "retry",
  timeout: "retry",
  invalid_output: "retry",
  rate_limited: "wait",
  quota: "wait",
  interrupted: "restart",
  host_lost: "restart",
  needs_input: "pause",
  permanent: "fail",
  bad_message: "reject",
  fenced: "stop",
};

export function dispositionOf(failureClass: FailureClass): Disposition {
  return DISPOSITIONS[failureClass];
}

/** One postcondition that did not hold, told so that an agent or a person can repair it. */
export interface Finding {
  /** Stable name of the check, for example `plan.no-placeholders`. */
  readonly check: string;
  /** Path in the repository the check looked at. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** A failure as it is stored, published and shown. Never holds agent output or a secret. */
export interface Failure {
  readonly code: ErrorCode;
  readonly class: FailureClass;
  /** One line for people: names the thing, what was expected and what came. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  readonly findings?: readonly Finding[];
  /** When the rate limit or quota behind it ends, ISO 8601; absent when nobody has said. */
  readonly resetsAt?: string;
}

/** A failure of a known code; class and remedy come from the catalogue unless a better remedy is known. */
export function failure(
  code: ErrorCode,
  message: string,
  more: {
    readonly remedy?: string;
    readonly findings?: readonly Finding[];
    readonly resetsAt?: string | undefined;
  } = {},
): Failure {
  return {
    code,
    class: ERROR_CODES[code].class,
    message,
    remedy: more.remedy ?? ERROR_CODES[code].remedy,
    ...(more.findings === undefined ? {} : { findings: more.findings }),
    ...(more.resetsAt === undefined ? {} : { resetsAt: more.resetsAt }),
  };
}
