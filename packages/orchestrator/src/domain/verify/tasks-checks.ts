import {
  AGENT_CONTEXT_FILES,
  type Check,
  differsFromTemplate,
  exists,
  matches,
  noneOf,
  nothingOutside,
  text,
} from "./check.ts";
import type { PhaseOutput } from "./phase-output.ts";
import { storiesOf, taskLines, tickedLines } from "./task-list.ts";

const FORM = "`- [ ] T001 [P] [US1] what to do` ([P] and [USn] where they apply)";

/** What `tasks` must have left: a list a machine and a person can work off. */
export const TASKS_CHECKS: readonly Check[] = [
  exists("tasks.tasks-exists", "tasks.md", "the list of tasks"),
  differsFromTemplate("tasks.tasks-differ-from-template", "tasks.md", "tasks-template.md"),
  noneOf("tasks.no-placeholders", "tasks.md", ["[FEATURE NAME]", "SAMPLE TASKS"]),
  matches("tasks.phase-headings", "tasks.md", "headings `## Phase …`", /^## Phase\b/m),
  text("tasks.some-task", "tasks.md", `at least one line ${FORM}`, (content) =>
    taskLines(content).some(({ id }) => id !== undefined) ? [] : ["none"],
  ),
  text("tasks.task-form", "tasks.md", `every task as ${FORM}`, (content) =>
    taskLines(content)
      .filter(({ id }) => id === undefined)
      .map(({ line }) => line),
  ),
  text("tasks.ids-unique", "tasks.md", "each task id once", (content) => repeatedIds(content)),
  text("tasks.ids-ascending", "tasks.md", "task ids in ascending order", (content) =>
    idsOutOfOrder(content),
  ),
  text(
    "tasks.stories-covered",
    "tasks.md",
    "a task for each user story of spec.md",
    (content, output) => {
      const used = new Set(taskLines(content).map(({ story }) => story));
      return specStories(output)
        .filter((story) => !used.has(story))
        .map((story) => `no task with [${story}]`);
    },
  ),
  text("tasks.stories-known", "tasks.md", "only user stories of spec.md", (content, output) => {
    const known = specStories(output);
    const used = new Set(taskLines(content).map(({ story }) => story));
    // Without a readable specification nothing is known, and nothing can be said.
    return known.length === 0
      ? []
      : [...used]
          .filter((story) => story !== undefined && !known.includes(story))
          .map((story) => `[${story}]`);
  }),
  text("tasks.nothing-done", "tasks.md", "no ticked box: nothing is implemented yet", (content) => [
    ...tickedLines(content),
  ]),
  nothingOutside("tasks.nothing-outside", [".specify/feature.json"], {
    paths: AGENT_CONTEXT_FILES,
    as: "files of agents such as AGENTS.md",
  }),
];

function specStories(output: PhaseOutput): readonly string[] {
  return storiesOf(output.read(`${output.featureDirectory}/spec.md`) ?? "");
}

function repeatedIds(content: string): string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { id } of taskLines(content)) {
    if (id !== undefined) {
      (seen.has(id) ? repeated : seen).add(id);
    }
  }
  return [...repeated];
}

function idsOutOfOrder(content: string): string[] {
  const problems: string[] = [];
  let last: { readonly id: string; readonly number: number } | undefined;
  for (const { id, number } of taskLines(content)) {
    if (id !== undefined && number !== undefined) {
      if (last !== undefined && number < last.number) {
        problems.push(`${id} after ${last.id}`);
      }
      last = { id, number };
    }
  }
  return problems;
}
