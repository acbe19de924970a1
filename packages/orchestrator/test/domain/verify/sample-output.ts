import type { PhaseOutput } from "../../../src/domain/verify/phase-output.ts";

export const DIRECTORY = "specs/007-oauth-login";

const SPEC_TEMPLATE = "# Feature Specification: [FEATURE NAME]\n\n## Requirements\n";
const PLAN_TEMPLATE = "# Implementation Plan: [FEATURE]\n";
const TASKS_TEMPLATE = "# Tasks: [FEATURE NAME]\n";

export const SPEC = `# Feature Specification: OAuth login

## User Scenarios & Testing *(mandatory)*

### User Story 1 - Sign in (Priority: P1)

Given a visitor, when they sign in, then they are known.

### User Story 2 - Sign out (Priority: P2)

## Requirements *(mandatory)*

- **FR-001**: The system signs people in.

## Success Criteria *(mandatory)*

- **SC-001**: Nine of ten sign in within a minute.
`;

export const PLAN = `# Implementation Plan: OAuth login

## Summary

## Technical Context

## Constitution Check

## Project Structure
`;

export const RESEARCH =
  "## Tokens\n\n- Decision: a\n- Rationale: b\n- Alternatives considered: c\n";

export const TASKS = `# Tasks: OAuth login

## Phase 1: Setup

- [ ] T001 Make the folder src/auth
- [ ] T002 [P] Describe it in docs/auth.md

## Phase 2: User Story 1

- [ ] T003 [P] [US1] Sign in in src/auth/sign-in.ts
- [ ] T004 [US2] Sign out in src/auth/sign-out.ts

\`\`\`text
- [ ] an example
- [x] another
\`\`\`
`;

export type Files = Readonly<Record<string, string | undefined>>;

/** Files of a run that went well, by path. */
export const GOOD_FILES: Readonly<Record<string, string>> = {
  ".specify/templates/spec-template.md": SPEC_TEMPLATE,
  ".specify/templates/plan-template.md": PLAN_TEMPLATE,
  ".specify/templates/tasks-template.md": TASKS_TEMPLATE,
  ".specify/feature.json": JSON.stringify({ feature_directory: DIRECTORY }),
  [`${DIRECTORY}/spec.md`]: SPEC,
  [`${DIRECTORY}/checklists/requirements.md`]: "# Checklist\n",
  [`${DIRECTORY}/plan.md`]: PLAN,
  [`${DIRECTORY}/research.md`]: RESEARCH,
  [`${DIRECTORY}/quickstart.md`]: "Run it.\n",
  [`${DIRECTORY}/tasks.md`]: TASKS,
};

/** The output of a phase with some files replaced (undefined: not there) and some changes told. */
export function output(replaced: Files = {}, changed: PhaseOutput["changed"] = []): PhaseOutput {
  const files: Files = { ...GOOD_FILES, ...replaced };
  return { featureDirectory: DIRECTORY, read: (path) => files[path], changed };
}
