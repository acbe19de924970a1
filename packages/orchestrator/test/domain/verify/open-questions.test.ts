import { expect, test } from "vitest";
import { openQuestions } from "../../../src/domain/verify/open-questions.ts";
import { DIRECTORY, output, SPEC } from "./sample-output.ts";

const ask = (spec: string | undefined) => openQuestions(output({ [`${DIRECTORY}/spec.md`]: spec }));

test("open questions come in order, in one line, each once", () => {
  const text = `${SPEC}
- **FR-002**: [NEEDS CLARIFICATION: Which
  providers?] and [NEEDS CLARIFICATION:How long?]
- [NEEDS CLARIFICATION: Which providers?] [NEEDS CLARIFICATION: ] [NEEDS CLARIFICATION]`;
  expect(ask(text)).toEqual(["Which providers?", "How long?"]);
});

test("none in a specification without any, and none without a specification", () => {
  expect(ask(SPEC)).toEqual([]);
  expect(ask(undefined)).toEqual([]);
});

test("questions are bounded in number and length, one without an end too", () => {
  const many = Array.from({ length: 30 }, (_, at) => `[NEEDS CLARIFICATION: ${at}]`).join("\n");
  expect(ask(many)).toHaveLength(20);
  const [long] = ask(`[NEEDS CLARIFICATION: ${"😀".repeat(5000)}`);
  expect(long?.length).toBeLessThanOrEqual(500);
  expect(long?.isWellFormed()).toBe(true);
});
