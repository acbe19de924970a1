import type { Failure } from "../domain/failure.ts";
import type { Question } from "../domain/questions.ts";
import type { Evidence, PhaseReport } from "./phases/phase-work.ts";

/** What became of an attempt. */
export type Ending =
  | { readonly how: "succeeded"; readonly report: PhaseReport }
  /** The same, and people are to approve it first. */
  | { readonly how: "proposed"; readonly report: PhaseReport }
  | {
      readonly how: "failed";
      readonly failure: Failure;
      /** What the phase asks, when that is its failure. */
      readonly openQuestions?: readonly Question[];
    }
  | { readonly how: "interrupted"; readonly failure: Failure }
  /** Its engine is lost: the phase starts again when nothing of it can go on there. */
  | { readonly how: "moved"; readonly failure: Failure }
  | { readonly how: "cancelled" };

/** The same with the attempt it is about, or of a run that ends between two. */
export type AttemptEnding =
  | (Ending & {
      readonly attempt: number;
      readonly evidence?: Evidence;
      /** When its owner was last known to have it; default now. */
      readonly endedAt?: Date | undefined;
      /** A proposed one: nobody has decided in time. */
      readonly isExpired?: boolean;
    })
  | { readonly how: "cancelled"; readonly attempt?: undefined }
  | { readonly how: "input_expired"; readonly attempt?: undefined; readonly round: number }
  /** Nothing was started: the run's credential rests. */
  | { readonly how: "cooling"; readonly attempt?: undefined; readonly coolDownMs: number };

/** Nobody has decided in time about what it proposes. */
export function isExpired(ending: AttemptEnding): boolean {
  return "isExpired" in ending && ending.isExpired === true;
}

/** What people are asked by it, if anything. */
export function questionsOf(ending: AttemptEnding): readonly Question[] | undefined {
  return "report" in ending
    ? ending.report.openQuestions
    : "openQuestions" in ending
      ? ending.openQuestions
      : undefined;
}
