/** Rounds of questions a run may ask; what is open after the last is recorded, and the agent decides. */
export const MAX_QUESTION_ROUNDS = 3;

/** An answer the agent suggests. */
export interface QuestionOption {
  /** Short enough to be typed: `A`, `B`, … */
  readonly key: string;
  readonly text: string;
  /** What choosing it means for the feature. */
  readonly implications?: string;
}

/** Something only a person can decide. The texts are an agent's: bounded, in one line each. */
export interface Question {
  /** `Q1`, `Q2`, … in the order of the round. */
  readonly id: string;
  readonly text: string;
  /** What it is about. */
  readonly context?: string;
  readonly options?: readonly QuestionOption[];
}

/** A question of the specification, and what people said to it; null: the agent decides. */
export interface AnsweredQuestion {
  readonly question: string;
  readonly answer: string | null;
}

/**
 * Brings questions and answers together: answer n of a round belongs to its question n, and what
 * nobody has answered is the agent's to decide. An answer that is the key of an option stands for it.
 *
 * @param asked questions of each round, in order
 */
export function pairAnswers(
  asked: readonly (readonly Question[])[],
  answered: readonly { readonly round: number; readonly answers: readonly (string | null)[] }[],
): readonly AnsweredQuestion[] {
  return answered.flatMap(({ round, answers }) =>
    (asked[round - 1] ?? []).map((question, ix) => ({
      question: question.text,
      answer: meant(question, answers[ix] ?? null),
    })),
  );
}

function meant({ options = [] }: Question, answer: string | null): string | null {
  const key = answer?.trim().toUpperCase();
  return options.find((option) => option.key.toUpperCase() === key)?.text ?? answer;
}
