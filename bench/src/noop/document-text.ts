/** The shortest documents that pass the phases' postconditions, which are checked as always. */
const DOCUMENTS: Readonly<Record<string, string>> = {
  "spec.md": `# Feature Specification: Nothing

## User Scenarios & Testing

### User Story 1 - Nothing happens (Priority: P1)

## Requirements

- **FR-001**: The system MUST do nothing.

## Success Criteria

- **SC-001**: Nothing has happened.
`,
  "requirements.md": "- [x] Nothing is missing\n",
  "plan.md": `# Implementation Plan: Nothing

## Summary

## Technical Context

## Constitution Check

## Project Structure
`,
  "research.md": "Decision: nothing. Rationale: a bench. Alternatives: none.\n",
  "quickstart.md": "Do nothing.\n",
  "tasks.md": "## Phase 1: Nothing\n\n- [ ] T001 [US1] Do nothing\n",
};

/** A file of the tree a no-op phase has left, undefined when there is none. */
export function documentText(path: string, featureDirectory: string): string | undefined {
  return path === ".specify/feature.json"
    ? JSON.stringify({ feature_directory: featureDirectory })
    : path.startsWith(".specify/")
      ? undefined
      : DOCUMENTS[path.slice(path.lastIndexOf("/") + 1)];
}
