import { fromTemplate, plain, SIGNATURE, shortened } from "./document-text.mjs";

const MAX_CLAUSES = 3;

/**
 * The documents of `specify`, made from the request's own words.
 *
 * @param {import("../scripted.mjs").Call} call
 * @returns {Record<string, string>} content by path, main document first
 */
export function specifyDocuments({ directory, request }) {
  const sentence = plain(request);
  const title = shortened(plain(request.split("\n")[0] ?? ""), 80);
  const stories = storiesFrom(sentence);
  return {
    [`${directory}/spec.md`]: specification(directory, title, sentence, stories),
    [`${directory}/checklists/requirements.md`]: checklist(title),
    ".specify/feature.json": `${JSON.stringify({ feature_directory: directory }, null, 2)}\n`,
  };
}

/** A story per part of the sentence, most important first, and one for when things go wrong. */
function storiesFrom(sentence) {
  const clauses = sentence
    .split(/(?:[,;.]\s+(?:and\s+)?|\s+and\s+)/i)
    .map((clause) => clause.replace(/[.,;\s]+$/, ""))
    .filter((clause) => /[\p{L}\p{N}]{2}/u.test(clause))
    .slice(0, MAX_CLAUSES);
  return [...(clauses.length === 0 ? [sentence] : clauses), "Know what to do when it fails"].map(
    (wish, index) => ({ number: index + 1, name: shortened(capitalized(wish), 60), wish }),
  );
}

function specification(directory, title, sentence, stories) {
  const requirements = stories.map(
    ({ wish }, index) => `- **FR-${id(index)}**: The system MUST make this possible: ${wish}.`,
  );
  const criteria = stories.map(
    ({ name }, index) =>
      `- **SC-${id(index)}**: Nine of ten people manage "${name}" at their first try, within a minute.`,
  );
  return fromTemplate(
    `# Feature Specification: ${title}\n\n**Feature directory**: \`${directory}\`\n**Status**: Draft\n**Input**: "${sentence}"`,
    ".specify/templates/spec-template.md",
    {
      "User Scenarios & Testing": `${stories.map(story).join("\n\n")}\n\n### Edge Cases\n\n- What is asked for is there already: nothing changes, and that is said.\n- It is asked for twice at once: it happens once.`,
      Requirements: `### Functional Requirements\n\n${requirements.join("\n")}`,
      "Success Criteria": `### Measurable Outcomes\n\n${criteria.join("\n")}`,
      Assumptions:
        "- Who may use the product today may use this feature.\n- Nothing that works today stops working.",
    },
  );
}

function story({ number, name, wish }) {
  return [
    `### User Story ${number} - ${name} (Priority: P${number})`,
    `As somebody who uses the product, I want this: ${wish}.`,
    `**Why this priority**: it is number ${number} in the order the request names things.`,
    "**Independent test**: try this story alone, with nothing of the later ones built.",
    `**Acceptance Scenarios**:\n\n1. **Given** the product as it is today, **When** somebody needs "${name}", **Then** they reach it without help.`,
  ].join("\n\n");
}

function checklist(title) {
  const items = [
    "Says what people need, not how it is built",
    "Every requirement can be tested",
    "Success criteria can be measured",
    "Edge cases are named",
    "Assumptions are written down",
  ];
  return `# Specification Quality Checklist: ${title}\n\n*${SIGNATURE}*\n\n${items
    .map((item) => `- [x] ${item}`)
    .join("\n")}\n`;
}

function id(index) {
  return String(index + 1).padStart(3, "0");
}

function capitalized(text) {
  const [first = ""] = text;
  return first.toUpperCase() + text.slice(first.length);
}
