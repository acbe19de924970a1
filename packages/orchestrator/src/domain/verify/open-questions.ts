import { oneLine } from "../one-line.ts";
import type { Question } from "../questions.ts";
import { matchQuestions } from "./match-questions.ts";
import type { PhaseOutput } from "./phase-output.ts";
import { MAX_TEXT_LENGTH, questionTables } from "./question-tables.ts";

const MAX_QUESTIONS = 20;
const MARKER = /\[NEEDS CLARIFICATION:([^\]]{0,2000})/g;

/**
 * The questions `specify` left open, in the order of the specification: an outcome of the phase, as
 * data, not a failure. They come from the markers in `spec.md` and from what the agent said last;
 * where both speak of the same thing it is one question. At most 20, each once; texts in one line,
 * cut at 500 characters.
 *
 * @param lastMessage what the agent said at its end, as far as it is known
 */
export function openQuestions(output: PhaseOutput, lastMessage = ""): readonly Question[] {
  return matchQuestions(markersOf(output), questionTables(lastMessage))
    .slice(0, MAX_QUESTIONS)
    .map((question, ix) => ({ id: `Q${ix + 1}`, ...question }));
}

function markersOf(output: PhaseOutput): readonly string[] {
  const spec = output.read(`${output.featureDirectory}/spec.md`) ?? "";
  const markers = new Set<string>();
  for (const [, words = ""] of spec.matchAll(MARKER)) {
    const text = oneLine(words, MAX_TEXT_LENGTH);
    if (text !== "") {
      markers.add(text);
    }
    if (markers.size === MAX_QUESTIONS) {
      break;
    }
  }
  return [...markers];
}
