import { existsSync } from "node:fs";
import { fromTemplate, plain, readSpec, readText, SIGNATURE } from "./document-text.mjs";

/** Files that tell what a repository is written in. */
const ECOSYSTEMS = {
  "package.json": "JavaScript or TypeScript on Node.js",
  "pyproject.toml": "Python",
  "go.mod": "Go",
  "Cargo.toml": "Rust",
  "pom.xml": "Java",
};

/**
 * The documents of `plan`, made from the specification and the constitution.
 *
 * @param {import("../scripted.mjs").Call} call
 * @returns {Record<string, string>} content by path, main document first
 */
export function planDocuments({ directory }) {
  const spec = readSpec(directory);
  const name = directory.slice("specs/".length);
  const module = name.replace(/^[\d-]+-/, "");
  return {
    [`${directory}/plan.md`]: plan(directory, module, spec),
    [`${directory}/research.md`]: research(spec),
    [`${directory}/data-model.md`]: dataModel(spec),
    [`${directory}/quickstart.md`]: quickstart(spec),
    [`${directory}/contracts/${module}.md`]: contract(spec),
  };
}

function plan(directory, module, { title, stories }) {
  return fromTemplate(
    `# Implementation Plan: ${title}\n\n**Spec**: \`${directory}/spec.md\``,
    ".specify/templates/plan-template.md",
    {
      Summary: `${title}, in ${stories.length} user stories that can each be delivered alone, most important first.`,
      "Technical Context": `**Language**: ${language()}\n**Dependencies**: none beyond today's\n**Testing**: the project's own test command\n**Constraints**: what works today keeps working`,
      "Constitution Check": principles()
        .map((principle) => `- ${principle}: respected; nothing in this plan departs from it`)
        .join("\n"),
      "Project Structure": `\`\`\`text\n${directory}/\n  spec.md  plan.md  research.md  data-model.md  quickstart.md  contracts/\nsrc/${module}/\ntests/${module}/\n\`\`\``,
      "Complexity Tracking": "No departure from the constitution to explain.",
    },
  );
}

function language() {
  const found = Object.entries(ECOSYSTEMS).find(([file]) => existsSync(file));
  return found === undefined
    ? "as the repository has it"
    : `${found[1]} (the repository has ${found[0]})`;
}

/** The constitution's principles by name; one sentence when it names none. */
function principles() {
  const text = readText(".specify/memory/constitution.md").replace(/<!--[\s\S]*?-->/g, "");
  const names = [...text.matchAll(/^### (.+)$/gm)].map(([, name]) => plain(name));
  return names.length === 0 ? ["The project names no principles"] : names;
}

function research({ title }) {
  return `# Research: ${title}

*${SIGNATURE}*

## Where the feature lives

- **Decision**: a module of its own beside the existing code.
- **Rationale**: it can be built, tested and removed without touching the rest.
- **Alternatives considered**: spreading it over existing modules, which would make every story depend on every other.

## How it is tested

- **Decision**: one test per acceptance scenario, with the project's own tools.
- **Rationale**: the specification's words and the tests stay comparable.
- **Alternatives considered**: testing by hand, which nobody repeats.
`;
}

function dataModel({ title, requirements }) {
  const rows = requirements.map(({ id }) => `| ${id} | state | pending, done, failed |`).join("\n");
  return `# Data Model: ${title}\n\n*${SIGNATURE}*\n\nOne record per requirement says how far it is.\n\n| Requirement | Field | Values |\n| --- | --- | --- |\n${rows}\n`;
}

function quickstart({ title, stories }) {
  const steps = stories.map(
    ({ number, name }) => `${number}. Try "${name}" and see that it works.`,
  );
  return `# Quickstart: ${title}\n\n*${SIGNATURE}*\n\nStart the product as its README says, then:\n\n${steps.join("\n")}\n`;
}

function contract({ title, requirements }) {
  const lines = requirements.map(({ id, words }) => `- **${id}**: ${words}`).join("\n");
  return `# Contract: ${title}\n\n*${SIGNATURE}*\n\nWhat callers may rely on:\n\n${lines}\n`;
}
