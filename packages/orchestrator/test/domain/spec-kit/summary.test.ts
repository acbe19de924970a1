import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { missingDocuments } from "../../../src/domain/spec-kit/needed-documents.ts";
import { summarize } from "../../../src/domain/spec-kit/summary.ts";
import { anyText } from "../../any-text.ts";
import { DIRECTORY, output, PLAN, SPEC, TASKS } from "../verify/sample-output.ts";

const FILES = {
  [`${DIRECTORY}/spec.md`]: `${SPEC}- **FR-002**: And more, see FR-001. [NEEDS CLARIFICATION: which?]

<!-- FR-999 is an example -->

\`\`\`text
### User Story 9 - in a code block (Priority: P9)
\`\`\`

## Assumptions

Some words before.

- People have **one** account
  each, for now.
* Nothing else changes.

## Other
- not an assumption
`,
  [`${DIRECTORY}/plan.md`]: PLAN.replace(
    "## Summary",
    "## Summary\n\nA small module\nof its own.\n\nMore.",
  ),
  [`${DIRECTORY}/tasks.md`]: TASKS.replace("- [ ] T001", "- [x] T001"),
};

describe("summarize", () => {
  test("says what the documents say, as numbers and short texts", () => {
    expect(summarize(output(FILES))).toEqual({
      title: "OAuth login",
      stories: [
        { id: "US1", title: "Sign in", priority: "P1" },
        { id: "US2", title: "Sign out", priority: "P2" },
      ],
      functionalRequirements: 2,
      successCriteria: 1,
      openQuestions: 1,
      assumptions: ["People have one account each, for now.", "Nothing else changes."],
      approach: "A small module of its own.",
      tasks: { total: 4, parallel: 2, perStory: { US1: 1, US2: 1 } },
    });
  });

  test("says what there is so far", () => {
    const later = { [`${DIRECTORY}/plan.md`]: undefined, [`${DIRECTORY}/tasks.md`]: undefined };
    expect(summarize(output(later))).toMatchObject({ approach: null, tasks: null });
    expect(summarize(output({ [`${DIRECTORY}/spec.md`]: undefined }))).toBeUndefined();
    expect(summarize(output({ [`${DIRECTORY}/spec.md`]: "" }))).toMatchObject({
      title: null,
      stories: [],
      functionalRequirements: 0,
      assumptions: [],
    });
  });

  test("takes any text, and stays short", () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        const spec = `# ${a}\n### User Story 1 - ${b}\n## Assumptions\n- ${a}\n${"- x\n".repeat(60)}`;
        const files = { [`${DIRECTORY}/spec.md`]: spec, [`${DIRECTORY}/tasks.md`]: a };
        expect(JSON.stringify(summarize(output(files))).length).toBeLessThan(40_000);
      }),
    );
  });
});

test("a pipeline that begins in the middle needs what the phases before would have written", () => {
  const none = () => false;
  expect(missingDocuments(["prepare", "specify", "plan", "tasks", "publish"], none)).toEqual([]);
  expect(missingDocuments(["prepare", "plan", "tasks", "publish"], none)).toEqual([
    { phase: "plan", document: "spec.md" },
    { phase: "tasks", document: "spec.md" },
  ]);
  const spec = (name: string) => name === "spec.md";
  expect(missingDocuments(["prepare", "tasks", "publish"], spec)).toEqual([
    { phase: "tasks", document: "plan.md" },
  ]);
});
