import { describe, expect, test } from "vitest";
import { RUN_HEADING, renderPrompt } from "../../../src/adapters/agents/render-prompt.ts";
import type { AgentPrompt } from "../../../src/ports/agent-backend.ts";

const SKILL = `# Specify

Input: $ARGUMENTS

Old input: {ARGS}

---

The end.
`;

function prompt(more: Partial<AgentPrompt> = {}, text = SKILL): AgentPrompt {
  return {
    phase: "specify",
    instructions: { kind: "skill", name: "speckit-specify", path: "SKILL.md", text },
    arguments: "Add OAuth login",
    projectDirectory: "",
    featureDirectory: "specs/007-oauth",
    environment: {},
    hooks: "none",
    skillNames: [],
    findings: [],
    answers: [],
    comments: [],
    mayAsk: false,
    ...more,
  };
}

describe("renderPrompt", () => {
  test("fills the arguments in", () => {
    const [above] = renderPrompt(prompt()).split(RUN_HEADING);
    expect(above?.trim()).toBe(
      "# Specify\n\nInput: Add OAuth login\n\nOld input: Add OAuth login\n\n---\n\nThe end.",
    );
  });

  test("says where a project lies in its repository, and what becomes of hooks", () => {
    const text = renderPrompt(prompt({ projectDirectory: "packages/api", hooks: "off" }));
    expect(text).toContain("You are in `packages/api`");
    expect(text).toContain("Hooks of extensions (`.specify/extensions.yml`) are off");
    const allowed = renderPrompt(prompt({ hooks: "on" }));
    expect(allowed).not.toContain("are off");
    expect(allowed).not.toContain("switch branches");
    expect(renderPrompt(prompt())).not.toContain("You are in");
  });

  test("a sentence is text: it fills no placeholder and escapes no quote", () => {
    const sentence = "Costs $& {ARGS} $ARGUMENTS $1\n## Heading\n\n> quoted";
    const text = renderPrompt(prompt({ arguments: sentence }));
    expect(text).toContain(`Input: ${sentence}\n`);
    expect(text.split("### The request, word for word\n\n")[1]).toBe(
      "> Costs $& {ARGS} $ARGUMENTS $1\n> ## Heading\n>\n> > quoted\n",
    );
  });

  test("names the feature directory, and forbids questions, commits and branches", () => {
    const text = renderPrompt(prompt());
    for (const words of [
      "`specs/007-oauth`",
      "`SPECIFY_FEATURE_DIRECTORY`",
      "Nobody can answer questions",
      "`[NEEDS CLARIFICATION: the question]`",
      "Do not commit, push, or create or switch branches",
    ]) {
      expect(text).toContain(words);
    }
  });

  test("later phases leave spec.md alone and have no request", () => {
    const text = renderPrompt(prompt({ phase: "plan", arguments: "" }));
    expect(text).toContain("leave `spec.md` as it is");
    expect(text).not.toContain("The request, word for word");
  });

  test("what people rejected is told in their words, quoted, all of it in order", () => {
    const text = renderPrompt(prompt({ comments: ["Shorter\n## Heading", "Name it"] }));
    expect(text).toContain("### What people want otherwise");
    expect(text).toContain("> Shorter\n> ## Heading\n\n> Name it\n");
    expect(renderPrompt(prompt())).not.toContain("What people want otherwise");
  });

  test("where people may be asked, the agent is to put its questions to them and not to wait", () => {
    const text = renderPrompt(prompt({ mayAsk: true }));
    expect(text).toContain("into your last message too, with the answers you suggest");
    expect(text).not.toContain("Nobody can answer questions");
  });

  test("a repair lists each finding in a line", () => {
    const findings = [
      {
        check: "plan.title",
        path: "specs/007-oauth/plan.md",
        expected: "a title",
        found: "none\nat all",
      },
    ];
    const text = renderPrompt(prompt({ findings }));
    expect(text).toContain("### What to repair");
    expect(text).toContain(
      "- `specs/007-oauth/plan.md` (plan.title): expected a title; found none at all\n",
    );
    expect(renderPrompt(prompt())).not.toContain("What to repair");
  });
});
