import type { PhaseOutput } from "./phase-output.ts";

const MAX_QUESTIONS = 20;
const MAX_LENGTH = 500;
const QUESTION = /\[NEEDS CLARIFICATION:([^\]]{0,2000})/g;

/**
 * The questions `specify` left open, in the order of the specification: an outcome of the phase, as
 * data, not a failure. Texts in one line, at most 20, cut at 500 characters, each once.
 */
export function openQuestions(output: PhaseOutput): readonly string[] {
  const spec = output.read(`${output.featureDirectory}/spec.md`) ?? "";
  const questions = new Set<string>();
  for (const [, words = ""] of spec.matchAll(QUESTION)) {
    const text = words.replace(/[\p{C}\s]+/gu, " ").trim();
    if (text !== "") {
      questions.add(
        text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1).toWellFormed()}…` : text,
      );
    }
    if (questions.size === MAX_QUESTIONS) {
      break;
    }
  }
  return [...questions];
}
