import { failure } from "../domain/failure.ts";
import { oneLine } from "../domain/one-line.ts";
import type { RunState } from "../domain/run-state.ts";
import type { Situation } from "./carry-run.ts";
import type { AttemptEnding } from "./ending.ts";

/** How much of a comment a failure's message shows; the whole is kept with the result. */
const COMMENT_MAX_LENGTH = 200;

/**
 * How a proposed attempt ends for whoever has claimed its run: with what was decided, or, since a
 * run without a decision may be claimed only when its time is over, as failed.
 */
export function conclusionOf(
  { attempts }: Situation,
  { attempt, decision, pipeline, phaseIx }: Extract<RunState, { readonly kind: "proposed" }>,
): AttemptEnding {
  const phase = pipeline[phaseIx];
  const row = attempts.find((one) => one.phase === phase && one.attempt === attempt);
  const { facts, told = {}, comment } = row?.proposal ?? {};
  switch (decision) {
    case "approved":
      return {
        how: "succeeded",
        attempt,
        report: {
          changed: row?.changed ?? false,
          ...(facts === undefined ? {} : { facts }),
          told,
        },
      };
    case "rejected":
      return {
        how: "failed",
        attempt,
        failure: failure(
          "APPROVAL_REJECTED",
          `${phase}: rejected: ${oneLine(comment ?? "", COMMENT_MAX_LENGTH)}`,
        ),
      };
    default:
      return {
        how: "failed",
        attempt,
        isExpired: true,
        failure: failure(
          "APPROVAL_MISSING",
          `${phase}: nobody has approved or rejected the result of attempt ${attempt}`,
        ),
      };
  }
}
