import { assertNever } from "../../domain/assert-never.ts";
import type { FailureClass } from "../../domain/failure.ts";
import { judgeRetry, MAX_STARTS_PER_PHASE, type RetryVerdict } from "../../domain/retry-policy.ts";
import type { AttemptFact } from "../../domain/run-state.ts";
import type { AttemptRecord } from "../../ports/run-record.ts";
import { durationInWords } from "./time-in-words.ts";

/**
 * What was decided when an attempt ended, in words. Budgets are derived from the attempts before, so
 * the decision can be made again from them, and comes out the same.
 *
 * @param before the phase's attempts before it, oldest first
 * @param wasLast the run has ended, and this was its last attempt before that
 * @returns undefined for what needs no word: it runs, or it never started
 */
export function whatFollowed(
  attempt: AttemptRecord,
  before: readonly AttemptRecord[],
  wasLast: boolean,
): string | undefined {
  switch (attempt.state) {
    case "running":
    case "skipped":
      return undefined;
    case "succeeded":
      return attempt.phase === "cleanup" || wasLast ? "the run was over" : "the run went on";
    case "proposed":
      return "its result waits for people's word";
    case "cancelled":
      return attempt.attempt === 0 ? undefined : "the run was cancelled";
    case "failed":
    case "interrupted":
      return attempt.phase === "cleanup"
        ? "cleanup starts again"
        : afterFailure(attempt, before, wasLast);
    default:
      return assertNever(attempt.state);
  }
}

function afterFailure(
  { failure, phase }: AttemptRecord,
  before: readonly AttemptRecord[],
  wasLast: boolean,
): string {
  const failureClass = failure?.class ?? "interrupted";
  const earlier = before.flatMap(endedFact);
  const verdict = judgeRetry(phase === "cleanup" ? undefined : phase, earlier, failureClass);
  if (verdict.retry === "never") {
    return `the run ended: ${REASONS[verdict.because]}`;
  }
  // Its working time was over, it was cancelled, or nobody has answered: the run's own line says so.
  return wasLast ? "the run ended" : inWords(verdict, failureClass, failure?.code);
}

const REASONS = {
  permanent: "trying again does not help",
  "budget spent": "no retry was left for failures of this class",
  "too many starts": `a phase is started at most ${MAX_STARTS_PER_PHASE} times`,
} as const;

function inWords(
  verdict: Exclude<RetryVerdict, { readonly retry: "never" }>,
  failureClass: FailureClass,
  code: string | undefined,
): string {
  switch (verdict.retry) {
    case "now":
      if (failureClass === "invalid_output") {
        return "tried again with the findings in the prompt";
      }
      return failureClass === "host_lost"
        ? "starts again once nothing of it can be at work on the lost engine"
        : "started again; no retry is spent";
    case "later":
      return `tried again after at most ${durationInWords(verdict.tierMs)}, or when the other side had said`;
    case "after_cool_down":
      return "rested until the limit ended; no retry is spent";
    case "after_input":
      return code === "APPROVAL_REJECTED"
        ? "started again with the comment in the prompt"
        : "asked people";
    default:
      return assertNever(verdict);
  }
}

/** An attempt as decisions count it; none while it is open. */
export function endedFact({ state, failure }: AttemptRecord): readonly AttemptFact[] {
  return state === "failed" || state === "interrupted" || state === "cancelled"
    ? [{ state, ...(failure === null ? {} : { failureClass: failure.class }) }]
    : [];
}
