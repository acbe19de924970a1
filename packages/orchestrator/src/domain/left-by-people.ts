import type { ErrorCode } from "./error-codes.ts";

/** Failures of runs that people left without an answer: no fault of whoever carries runs. */
export const LEFT_BY_PEOPLE = [
  "QUESTIONS_UNANSWERED",
  "APPROVAL_MISSING",
] as const satisfies readonly ErrorCode[];
