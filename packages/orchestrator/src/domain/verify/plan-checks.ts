import {
  AGENT_CONTEXT_FILES,
  type Check,
  differsFromTemplate,
  exists,
  headings,
  noneOf,
  nothingOutside,
  text,
} from "./check.ts";
import { titleProblem } from "./specify-checks.ts";

/** What `plan` must have left. `data-model.md` and `contracts/` are optional: not every feature has them. */
export const PLAN_CHECKS: readonly Check[] = [
  exists("plan.plan-exists", "plan.md", "the implementation plan"),
  exists("plan.research-exists", "research.md", "the decisions the plan rests on"),
  exists("plan.quickstart-exists", "quickstart.md", "how to try the feature out"),
  differsFromTemplate("plan.plan-differs-from-template", "plan.md", "plan-template.md"),
  text(
    "plan.title",
    "plan.md",
    "a title `# Implementation Plan: ` with the feature's name",
    (content) => titleProblem(content, "# Implementation Plan: ", "[FEATURE]"),
  ),
  headings("plan.headings", "plan.md", [
    "## Summary",
    "## Technical Context",
    "## Constitution Check",
    "## Project Structure",
  ]),
  noneOf("plan.no-placeholders", "plan.md", [
    "[FEATURE]",
    "[Gates determined based on constitution file]",
    "[REMOVE IF UNUSED]",
    "ACTION REQUIRED",
  ]),
  text("plan.no-open-questions", "plan.md", "every question answered in research.md", (content) =>
    content.includes("NEEDS CLARIFICATION") ? ["NEEDS CLARIFICATION"] : [],
  ),
  text(
    "plan.research-decisions",
    "research.md",
    "each decision with Decision, Rationale and Alternatives",
    (content) =>
      ["Decision", "Rationale", "Alternatives"]
        .filter((word) => !content.includes(word))
        .map((word) => `no ${word}`),
  ),
  {
    name: "plan.spec-unchanged",
    path: (directory) => `${directory}/spec.md`,
    expected: () => "the specification as `specify` left it",
    broken: ({ changed, featureDirectory }) =>
      changed
        .filter(({ path }) => path === `${featureDirectory}/spec.md`)
        .map(({ kind }) => ({ found: kind })),
  },
  nothingOutside("plan.nothing-outside", [".specify/feature.json"], {
    paths: AGENT_CONTEXT_FILES,
    as: "files of agents such as AGENTS.md",
  }),
];
