import type { AgentPhase } from "@speckit/orchestrator";

/** What a good agent leaves in the feature directory: as little as passes the phase's checks. */
export function documentsOf(
  phase: AgentPhase,
  directory: string,
  { question }: { readonly question?: string } = {},
): Readonly<Record<string, string>> {
  switch (phase) {
    case "specify":
      return {
        ".specify/feature.json": JSON.stringify({ feature_directory: directory }),
        [`${directory}/checklists/requirements.md`]: "- [x] ready\n",
        [`${directory}/spec.md`]: `${SPEC}${question === undefined ? "" : `[NEEDS CLARIFICATION: ${question}]\n`}`,
      };
    case "plan":
      return {
        [`${directory}/plan.md`]: PLAN,
        [`${directory}/research.md`]: "Decision: one. Rationale: small. Alternatives: none.\n",
        [`${directory}/quickstart.md`]: "Start it.\n",
      };
    case "tasks":
      return { [`${directory}/tasks.md`]: TASKS };
  }
}

const SPEC = `# Feature Specification: Sign in
## User Scenarios & Testing
### User Story 1 - Sign in (Priority: P1)
## Requirements
- FR-001
## Success Criteria
- SC-001
`;

const PLAN = `# Implementation Plan: Sign in
## Summary
## Technical Context
## Constitution Check
## Project Structure
`;

const TASKS = `# Tasks
## Phase 1: Setup
- [ ] T001 [US1] Do it
`;

/** What the target repository holds before any run. */
export const BASE_FILES: Readonly<Record<string, string>> = {
  "README.md": "# Service\n",
  ".specify/memory/constitution.md": "# Constitution\n",
  ...Object.fromEntries(
    ["specify", "plan", "tasks"].map((phase) => [
      `.agents/skills/speckit-${phase}/SKILL.md`,
      `# ${phase}\n`,
    ]),
  ),
};
