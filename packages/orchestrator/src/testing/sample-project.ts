/**
 * How a Spec Kit has laid its files out: `skills` as current ones do for Codex, `prompts` as those
 * before 0.4 did, `toml` as for Gemini.
 */
export type SampleLayout = "skills" | "prompts" | "toml";

/**
 * A small repository that uses Spec Kit, as files by path: enough of Spec Kit's layout for an agent
 * to work in, in our own words. Demos and tests start from it.
 *
 * As in a real one, `.specify/feature.json` is ignored by git; the old layout knows no such file.
 */
export function sampleProjectFiles(layout: SampleLayout = "skills"): Record<string, string> {
  return {
    "README.md": README,
    "package.json": `${JSON.stringify({ name: "sample-service", private: true, type: "module" }, null, 2)}\n`,
    "src/server.mjs": SERVER,
    ...instructions(layout),
    ".specify/memory/constitution.md": CONSTITUTION,
    ".specify/templates/spec-template.md": SPEC_TEMPLATE,
    ".specify/templates/plan-template.md": PLAN_TEMPLATE,
    ".specify/templates/tasks-template.md": TASKS_TEMPLATE,
  };
}

/** The same project in a folder of a larger repository, beside one that has nothing to do with it. */
export function sampleMonorepoFiles(
  directory = "packages/api",
  layout: SampleLayout = "skills",
): Record<string, string> {
  const project = Object.entries(sampleProjectFiles(layout));
  return {
    "README.md": "# Several packages\n",
    "packages/other/package.json": '{ "name": "other" }\n',
    ...Object.fromEntries(project.map(([path, text]) => [`${directory}/${path}`, text])),
  };
}

function instructions(layout: SampleLayout): Record<string, string> {
  const bodies = Object.entries({ specify: SPECIFY, plan: PLAN, tasks: TASKS });
  switch (layout) {
    case "skills":
      return {
        ...Object.fromEntries(
          bodies.map(([phase, body]) => [
            `.agents/skills/speckit-${phase}/SKILL.md`,
            skill(phase, body),
          ]),
        ),
        ".specify/.gitignore": "feature.json\n",
        ".specify/integration.json": json({ default_integration: "codex", version: "1.0.1" }),
        ".specify/init-options.json": json({
          ai: "codex",
          script: "sh",
          feature_numbering: "sequential",
          speckit_version: "1.0.1",
        }),
      };
    case "prompts":
      return Object.fromEntries(
        bodies.map(([phase, body]) => [
          `.codex/prompts/speckit.${phase}.md`,
          prompt(phase, withoutFeatureJson(body)),
        ]),
      );
    case "toml":
      return {
        ...Object.fromEntries(
          bodies.map(([phase, body]) => [
            `.gemini/commands/speckit.${phase}.toml`,
            toml(phase, body),
          ]),
        ),
        ".specify/init-options.json": json({ ai: "gemini", script: "sh" }),
      };
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A prompt file as people copied it into their own Codex. */
function prompt(phase: string, body: string): string {
  return `---
description: Spec Kit's phase ${phase}, shortened for a sample project.
scripts:
  sh: .specify/scripts/bash/${phase}.sh --json
---

${body}`;
}

function toml(phase: string, body: string): string {
  const text = body.replaceAll("\\", "\\\\").replaceAll("$ARGUMENTS", "{{args}}");
  return `description = "Spec Kit's phase ${phase}, shortened for a sample project."

prompt = """
${text}"""
`;
}

/** Before there was one, the branch said where the feature is. */
function withoutFeatureJson(body: string): string {
  return body
    .split("\n")
    .filter((line) => !line.includes("feature.json"))
    .join("\n");
}

function skill(phase: string, body: string): string {
  return `---
name: speckit-${phase}
description: Spec Kit's phase ${phase}, shortened for a sample project.
---

${body}`;
}

const README = `# Sample service

A service that answers with a greeting. It is here to be given features.
`;

const SERVER = `import { createServer } from "node:http";

createServer((request, response) => response.end("Hello\\n")).listen(8080);
`;

const SPECIFY = `# Specify

## What the user wants

\`\`\`text
$ARGUMENTS
\`\`\`

## Steps

1. Take the feature directory from \`SPECIFY_FEATURE_DIRECTORY\`.
2. Write \`spec.md\` in it from \`.specify/templates/spec-template.md\`: what people need and why, not how.
3. Write \`checklists/requirements.md\` and go through it.
4. Write \`.specify/feature.json\` with the directory as \`feature_directory\`.
5. Mark what only the user can decide as \`[NEEDS CLARIFICATION: question]\`, three at most.
`;

const PLAN = `# Plan

Arguments: $ARGUMENTS

1. Read \`spec.md\` in the feature directory and \`.specify/memory/constitution.md\`.
2. Write \`plan.md\` from \`.specify/templates/plan-template.md\`.
3. Write \`research.md\`: each decision with its rationale and the alternatives considered.
4. Write \`quickstart.md\`, and \`data-model.md\` and \`contracts/\` where the feature has data or an interface.
`;

const TASKS = `# Tasks

Arguments: $ARGUMENTS

1. Read \`spec.md\` and \`plan.md\` in the feature directory.
2. Write \`tasks.md\` from \`.specify/templates/tasks-template.md\`: a phase to set up, a phase for each user
   story, a phase for what is left. One task a line: \`- [ ] T001 [P] [US1] what to do in which file\`.
`;

const CONSTITUTION = `# Constitution of the sample service

### Small steps

Every change can be delivered by itself.

### Tests first

What is promised is tested before it is built.
`;

const SPEC_TEMPLATE = `# Feature Specification: [FEATURE NAME]

**Status**: Draft

## User Scenarios & Testing *(mandatory)*

<!-- ACTION REQUIRED: most important story first -->

### User Story 1 - [Brief Title] (Priority: P1)

1. **Given** [initial state], **When** [action], **Then** [outcome]

## Requirements *(mandatory)*

- **FR-001**: The system MUST [capability]

## Success Criteria *(mandatory)*

- **SC-001**: [Measurable outcome]

## Assumptions

- [Assumption]

## Accessibility

[What people with different abilities need]
`;

const PLAN_TEMPLATE = `# Implementation Plan: [FEATURE]

## Summary

[One paragraph]

## Technical Context

**Language**: [NEEDS CLARIFICATION]

## Constitution Check

[Gates determined based on constitution file]

## Project Structure

[REMOVE IF UNUSED]

## Complexity Tracking

[Departures from the constitution]
`;

const TASKS_TEMPLATE = `# Tasks: [FEATURE NAME]

<!-- SAMPLE TASKS: replace all of them -->

## Phase 1: Setup

- [ ] T001 [Description with a file's path]

## Phase 2: User Story 1 - [Title] (Priority: P1)

- [ ] T002 [P] [US1] [Description with a file's path]
`;
