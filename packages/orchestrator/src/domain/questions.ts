/** Rounds of questions a run may ask; what is open after the last is recorded, and the agent decides. */
export const MAX_QUESTION_ROUNDS = 3;

/** A question of the specification, and what people said to it; null: the agent decides. */
export interface AnsweredQuestion {
  readonly question: string;
  readonly answer: string | null;
}

/**
 * Brings questions and answers together: answer n of a round belongs to its question n, and what
 * nobody has answered is the agent's to decide.
 *
 * @param asked questions of each round, in order
 */
export function pairAnswers(
  asked: readonly (readonly string[])[],
  answered: readonly { readonly round: number; readonly answers: readonly (string | null)[] }[],
): readonly AnsweredQuestion[] {
  return answered.flatMap(({ round, answers }) =>
    (asked[round - 1] ?? []).map((question, ix) => ({ question, answer: answers[ix] ?? null })),
  );
}
