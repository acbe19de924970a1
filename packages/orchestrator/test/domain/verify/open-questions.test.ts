import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openQuestions } from "../../../src/domain/verify/open-questions.ts";
import { DIRECTORY, output, SPEC } from "./sample-output.ts";

const ask = (spec: string | undefined, said?: string) =>
  openQuestions(output({ [`${DIRECTORY}/spec.md`]: spec }), said);
const marked = (...texts: readonly string[]) =>
  `${SPEC}${texts.map((text) => `\n- [NEEDS CLARIFICATION: ${text}]`).join("")}`;

describe("markers in the specification", () => {
  test("are questions in order, in one line, each once", () => {
    const text = `${SPEC}
- **FR-002**: [NEEDS CLARIFICATION: Which
  providers?] and [NEEDS CLARIFICATION:How long?]
- [NEEDS CLARIFICATION: Which providers?] [NEEDS CLARIFICATION: ] [NEEDS CLARIFICATION]`;
    expect(ask(text)).toEqual([
      { id: "Q1", text: "Which providers?" },
      { id: "Q2", text: "How long?" },
    ]);
  });

  test("are none in a specification without any, and none without a specification", () => {
    expect(ask(SPEC)).toEqual([]);
    expect(ask(undefined)).toEqual([]);
  });

  test("are bounded in number and length, one without an end too", () => {
    const many = Array.from({ length: 30 }, (_, at) => `[NEEDS CLARIFICATION: ${at}]`).join("\n");
    expect(ask(many)).toHaveLength(20);
    const [long] = ask(`[NEEDS CLARIFICATION: ${"😀".repeat(5000)}`);
    expect(long?.text.length).toBeLessThanOrEqual(500);
    expect(long?.text.isWellFormed()).toBe(true);
  });
});

/** A section as the skill asks agents to write it. */
const SECTION = `I have left two things open.

## Question 1: Sign-in method

**Context**: FR-002 says "people sign in"

**What we need to know**: Which providers are offered at sign-in?

**Suggested Answers**:

| Option | Answer | Implications |
|--------|--------|--------------|
| A | Google alone | One button |
| B | Google \\| GitHub | Two buttons |
| Custom | Say it yourself | Any text |

**Your choice**: _wait for it_
`;

const ANSWERS = [
  { key: "A", text: "Google alone", implications: "One button" },
  { key: "B", text: "Google | GitHub", implications: "Two buttons" },
];

describe("what the agent says last", () => {
  test("has questions with their context and suggested answers", () => {
    expect(ask(SPEC, SECTION)).toEqual([
      {
        id: "Q1",
        text: "Which providers are offered at sign-in?",
        context: 'FR-002 says "people sign in"',
        options: ANSWERS,
      },
    ]);
  });

  test("is one question with the marker that speaks of the same, in the marker's place", () => {
    const second = SECTION.replaceAll("Question 1", "Question 2")
      .replace("Sign-in method", "Session")
      .replace("Which providers are offered at sign-in?", "How long may a session last?");
    const spec = marked("how long a session lasts", "which providers at sign-in", "Which colour?");
    const questions = ask(spec, `${SECTION}\n${second}`);
    expect(questions.map(({ id, text, options }) => [id, text, options?.length])).toEqual([
      ["Q1", "How long may a session last?", 2],
      ["Q2", "Which providers are offered at sign-in?", 2],
      ["Q3", "Which colour?", undefined],
    ]);
  });

  test("belongs to a marker of other words by its place, and both are told", () => {
    expect(ask(marked("auth unclear"), SECTION)).toMatchObject([
      {
        text: "Which providers are offered at sign-in?",
        context: 'FR-002 says "people sign in" auth unclear',
      },
    ]);
  });

  test("is its own question where it is not clear which marker it belongs to", () => {
    expect(ask(marked("Colour?", "Size?"), SECTION).map(({ text }) => text)).toEqual([
      "Colour?",
      "Size?",
      "Which providers are offered at sign-in?",
    ]);
  });

  test("is read in other orders and shapes too", () => {
    const shapes = [
      "### Question [3] - Provider\n| Choice | Description |\n|:-:|---|\n| `a` | Google |\n",
      "**Question 1: Provider**\n- **Options:**\n- A) Google\n- Custom) other\n",
      "> ## QUESTION 1\n> **What we need to know:** Provider\n> | A | **Google** | |\n",
      "## Question 1: [NEEDS CLARIFICATION: Provider]\n\n| Option | Implications | Answer |\n|--|--|--|\n| A. | | Google |",
    ];
    for (const shape of shapes) {
      expect(ask(SPEC, shape), shape).toEqual([
        { id: "Q1", text: "Provider", options: [{ key: "A", text: "Google" }] },
      ]);
    }
  });

  test("is no question when it only mentions one, or says no more than that there is one", () => {
    const talk = [
      "All questions are answered.",
      "Question 1: was easy",
      "## Questions\n\nNone.",
      "## Question 1\n\n| A | Google | |",
      "| A | Google | One button |",
      "",
    ];
    for (const said of talk) {
      expect(ask(SPEC, said), said).toEqual([]);
    }
  });

  test("ends with the section: what follows is none of it", () => {
    const [question] = ask(SPEC, `${SECTION}\n## Summary\n\n| C | Not an answer | |\n`);
    expect(question?.options).toEqual(ANSWERS);
  });

  test("is bounded, and without what steers a terminal", () => {
    const rows = Array.from({ length: 40 }, (_, ix) => `| ${ix} | \u001b[2Janswer\u202e | |`);
    const one = `## Question 1: ${"x".repeat(9_000)}\n**Context**: ${"y ".repeat(9_000)}\n${rows.join("\n")}\n`;
    const questions = ask(SPEC, one.repeat(40));
    expect(questions).toHaveLength(20);
    for (const { text, context = "", options = [] } of questions) {
      expect(text.length).toBeLessThanOrEqual(500);
      expect(context.length).toBeLessThanOrEqual(500);
      expect(options).toHaveLength(10);
      expect(options[0]).toEqual({ key: "0", text: "[2Janswer" });
    }
  });
});

test("any text gives at most 20 questions of printable lines, numbered in turn", () => {
  const piece = fc.constantFrom(
    "## Question 1: a",
    "## Question",
    "**Context**:",
    "**What we need to know**: b",
    "| A | c | d |",
    "|---|",
    "|",
    "[NEEDS CLARIFICATION: e",
    "]",
    "\n",
    "\u0000\u2028\ud800",
    " ",
  );
  const anyText = fc
    .array(fc.oneof(piece, fc.string({ unit: "binary" })), { maxLength: 80 })
    .map((parts) => parts.join("\n"));
  fc.assert(
    fc.property(anyText, anyText, (spec, said) => {
      const questions = ask(spec, said);
      expect(questions.length).toBeLessThanOrEqual(20);
      expect(questions.map(({ id }) => id)).toEqual(questions.map((_, ix) => `Q${ix + 1}`));
      for (const { text, context, options } of questions) {
        const texts = [text, context, ...(options ?? []).flatMap((one) => Object.values(one))];
        for (const one of texts.filter((value) => value !== undefined)) {
          expect(one).not.toBe("");
          expect(one).not.toMatch(/[\p{C}\n]/u);
        }
      }
    }),
    { numRuns: 200 },
  );
});
