import { describe, expect, test } from "vitest";
import { pairAnswers, type Question } from "../../src/domain/questions.ts";

const ask = (text: string, more: Partial<Question> = {}): Question => ({ id: "Q1", text, ...more });

test("answer n of a round belongs to its question n; what nobody answered is the agent's to decide", () => {
  const asked = [[ask("Which provider?"), ask("How long?")], [ask("Which colour?")]];
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

describe("an answer that is the key of an option", () => {
  const options = [
    { key: "A", text: "Google alone" },
    { key: "B", text: "Any provider" },
  ];
  const said = (answer: string, more: Partial<Question> = { options }) =>
    pairAnswers([[ask("Which provider?", more)]], [{ round: 1, answers: [answer] }])[0]?.answer;

  test("stands for the option's text, in any case and with spaces around it", () => {
    expect(said("B")).toBe("Any provider");
    expect(said(" a\n")).toBe("Google alone");
  });

  test("is a text like any other where there is no such option", () => {
    expect(said("C")).toBe("C");
    expect(said("B", {})).toBe("B");
    expect(said("A or B")).toBe("A or B");
  });
});
