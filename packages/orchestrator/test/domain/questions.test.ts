import { expect, test } from "vitest";
import { pairAnswers } from "../../src/domain/questions.ts";

test("answer n of a round belongs to its question n; what nobody answered is the agent's to decide", () => {
  const asked = [["Which provider?", "How long?"], ["Which colour?"]];
  const answered = [
    { round: 1, answers: ["Google"] },
    { round: 2, answers: [null] },
  ];
  expect(pairAnswers(asked, answered)).toEqual([
    { question: "Which provider?", answer: "Google" },
    { question: "How long?", answer: null },
    { question: "Which colour?", answer: null },
  ]);
});
