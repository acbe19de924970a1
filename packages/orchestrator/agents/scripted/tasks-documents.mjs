import { readSpec, SIGNATURE } from "./document-text.mjs";

/**
 * The document of `tasks`: what to set up, then each user story by itself, then what is left.
 *
 * @param {import("../scripted.mjs").Call} call
 * @returns {Record<string, string>} content by path
 */
export function tasksDocuments({ directory }) {
  const { title, stories } = readSpec(directory);
  const module = directory.slice("specs/".length).replace(/^[\d-]+-/, "");
  let last = 0;
  const task = (words) => {
    last += 1;
    return `- [ ] T${String(last).padStart(3, "0")} ${words}`;
  };
  const phases = [
    phase("Setup", "A place for the feature.", [
      task(`Create src/${module}/ and tests/${module}/`),
      task(`[P] Describe the feature in docs/${module}.md`),
    ]),
    ...stories.map(({ number, name, priority }) =>
      phase(`User Story ${number} - ${name} (Priority: ${priority})`, `${name}, by itself.`, [
        task(`[P] [US${number}] Write the acceptance test in tests/${module}/story-${number}`),
        task(`[US${number}] Make it pass in src/${module}/story-${number}`),
      ]),
    ),
    phase("Polish", "What concerns all stories.", [
      task(`Go through ${directory}/quickstart.md and correct what it gets wrong`),
    ]),
  ];
  const numbered = phases.map((text, index) => `## Phase ${index + 1}: ${text}`);
  return {
    [`${directory}/tasks.md`]: `# Tasks: ${title}\n\n*${SIGNATURE}*\n\n**Input**: the documents in \`${directory}/\`. [P] marks tasks that can be done beside others.\n\n${numbered.join("\n\n")}\n`,
  };
}

function phase(name, goal, tasks) {
  return `${name}\n\n**Goal**: ${goal}\n\n${tasks.join("\n")}`;
}
