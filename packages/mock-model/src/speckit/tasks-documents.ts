import type { Documents, Spec } from "./documents.ts";

/** What `tasks` leaves: a list to work off, with the user stories in order of their priority. */
export function tasksDocuments(directory: string, { title, stories }: Spec): Documents {
  const parts: readonly (readonly [heading: string, tasks: readonly string[]])[] = [
    ["Setup", ["Make the folders of the new module", "[P] Write down how to try it out"]],
    ...stories.map(
      ({ number, name, priority }) =>
        [
          `User Story ${number} - ${name} (Priority: ${priority})`,
          [
            `[P] [US${number}] Write the test of its acceptance scenarios in tests/story-${number}`,
            `[US${number}] Make the test pass in src/story-${number}`,
          ],
        ] as const,
    ),
    ["Polish", [`Follow ${directory}/quickstart.md and correct it`]],
  ];
  let last = 0;
  const sections = parts.map(([heading, tasks], index) => {
    const lines = tasks.map((task) => {
      last += 1;
      return `- [ ] T${String(last).padStart(3, "0")} ${task}`;
    });
    return `## Phase ${index + 1}: ${heading}\n\n${lines.join("\n")}`;
  });
  return {
    [`${directory}/tasks.md`]: `# Tasks: ${title}\n\nTasks with [P] can be done beside others.\n\n${sections.join("\n\n")}\n`,
  };
}
