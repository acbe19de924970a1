import type { Documents, Setting } from "./documents.ts";
import { marker, QUESTIONS } from "./questions.ts";
import type { Task } from "./task.ts";

const TITLE_MAX = 80;

/** What `specify` leaves: the specification, the checklist of its quality, and where they are. */
export function specifyDocuments(task: Task, { directory, asks }: Setting): Documents {
  const sentence = harmless(task.sentence);
  const title = sentence.length > TITLE_MAX ? `${sentence.slice(0, TITLE_MAX - 1)}…` : sentence;
  return {
    [`${directory}/spec.md`]: specification(directory, title, sentence, open(task, asks)),
    [`${directory}/checklists/requirements.md`]: checklist(title, asks),
    ".specify/feature.json": `${JSON.stringify({ feature_directory: directory }, null, 2)}\n`,
  };
}

/** A sentence in which nothing looks like a placeholder or like markup. */
function harmless(sentence: string): string {
  return sentence
    .replace(/[\p{C}\s]+/gu, " ")
    .replaceAll("[", "(")
    .replaceAll("]", ")")
    .replace(/ACTION REQUIRED|NEEDS CLARIFICATION/g, (words) => words.toLowerCase())
    .trim();
}

/** What the two open points say: the question, the answer, or what is assumed. */
function open({ answers }: Task, asks: boolean): readonly [string, string] {
  const [retention, access] = QUESTIONS;
  return asks
    ? [marker(retention), marker(access)]
    : [
        harmless(answers?.[0] ?? "as long as the product keeps everything else"),
        harmless(answers?.[1] ?? "as in the rest of the product"),
      ];
}

function specification(
  directory: string,
  title: string,
  sentence: string,
  [retention, access]: readonly [string, string],
): string {
  return `# Feature Specification: ${title}

**Feature Directory**: \`${directory}\`
**Status**: Draft
**Input**: ${sentence}

## User Scenarios & Testing

### User Story 1 - Get what was asked for (Priority: P1)

Somebody who uses the product wants this, and gets it at the first try: ${sentence}

**Why this priority**: without it there is nothing to deliver.

**Independent Test**: do what the request says on a new installation, and see the result.

**Acceptance Scenarios**:

1. **Given** the product as it is, **When** the request's words are followed, **Then** what they promise is there.
2. **Given** that it is there already, **When** it is asked for again, **Then** nothing is done twice.

### User Story 2 - Learn why it did not work (Priority: P2)

Somebody for whom it fails reads one sentence that says what to do, and does it.

**Why this priority**: a failure nobody understands is reported to somebody who has to find out.

**Independent Test**: take away what the feature needs, and read what it says.

**Acceptance Scenarios**:

1. **Given** that something is missing, **When** the feature is used, **Then** the message names what is missing.

### Edge Cases

- Two people ask at the same time: both get an answer, and one of them does the work.
- It is interrupted in the middle: the next try finds nothing half done.

## Requirements

### Functional Requirements

- **FR-001**: The system MUST do what the request says.
- **FR-002**: The system MUST name what is missing when it cannot.
- **FR-003**: Records MUST be kept for a time: ${retention}.
- **FR-004**: Only those MUST see them who may: ${access}.

## Success Criteria

### Measurable Outcomes

- **SC-001**: Nine of ten people get the result at their first try, in under a minute.
- **SC-002**: Nobody who reads the message of a failure has to ask what it means.

## Assumptions

- Whoever may use the product today may use this.
- What works today goes on working.
`;
}

function checklist(title: string, asks: boolean): string {
  return `# Specification Quality Checklist: ${title}

- [x] Says what people need, and not how it is built
- [x] Each requirement can be tested
- [x] Each success criterion can be measured
- [${asks ? " " : "x"}] No question is open
`;
}
