import type { Documents, Spec } from "./documents.ts";

/** What `plan` leaves: the plan, the decisions it rests on, and how to try the result out. */
export function planDocuments(directory: string, spec: Spec): Documents {
  return {
    [`${directory}/plan.md`]: plan(directory, spec),
    [`${directory}/research.md`]: research(spec),
    [`${directory}/quickstart.md`]: quickstart(spec),
  };
}

function plan(directory: string, { title, stories }: Spec): string {
  return `# Implementation Plan: ${title}

**Specification**: \`${directory}/spec.md\`

## Summary

${title}. ${stories.length} user stories, each of which can be delivered without the later ones.

## Technical Context

**Language**: what the repository is written in
**Dependencies**: none that are not there today
**Storage**: where the product keeps its data today
**Testing**: the repository's own tests
**Constraints**: answers within a second

## Constitution Check

Nothing in this plan goes against the project's constitution. Looked at again after the design: still so.

## Project Structure

\`\`\`text
${directory}/
  spec.md
  plan.md
  research.md
  quickstart.md
\`\`\`

The code goes beside what is there, in a module of its own with its tests.
`;
}

function research({ title }: Spec): string {
  return `# Research: ${title}

## Where the code goes

- **Decision**: a module of its own.
- **Rationale**: it can be tried and taken out again without touching its neighbours.
- **Alternatives considered**: code in each module that is concerned, which nobody could take out again.

## How failures are told

- **Decision**: one sentence that names what is missing.
- **Rationale**: the specification asks for it, and a test can read it.
- **Alternatives considered**: a number, which people would have to look up.
`;
}

function quickstart({ title, stories }: Spec): string {
  const steps = stories.map(({ number, name }) => `${number}. ${name}: do it once, and see it.`);
  return `# Quickstart: ${title}\n\nStart the product as its README says, then:\n\n${steps.join("\n")}\n`;
}
