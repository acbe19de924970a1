import { existsSync, readFileSync } from "node:fs";

export const SIGNATURE = "Written by speckit's scripted agent: a stand-in, no model was called.";

/** Text of a file of the repository, empty when there is none. */
export function readText(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

/**
 * A request as harmless prose in one line: what looks like a template's placeholder or like markup
 * loses its meaning, so that a document made from it is still a finished one.
 */
export function plain(text) {
  return text
    .replace(/[\p{C}\s]+/gu, " ")
    .replaceAll("[", "(")
    .replaceAll("]", ")")
    .replace(/ACTION REQUIRED|NEEDS CLARIFICATION|SAMPLE TASKS/g, (words) => words.toLowerCase())
    .trim();
}

/** Cut between words where one ends early enough. */
export function shortened(text, maxLength) {
  if (text.length <= maxLength) return text;
  const cut = text.slice(0, maxLength);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), maxLength / 2)).toWellFormed()}…`;
}

/**
 * A document with a template's level-two headings, in the template's order: known sections are
 * filled, a project's own ones are kept and say that there is nothing to add. Sections the template
 * lacks come last.
 *
 * @param {string} title
 * @param {string} templatePath
 * @param {Record<string, string>} sections text by heading, without `## `
 */
export function fromTemplate(title, templatePath, sections) {
  const template = readText(templatePath).replace(/<!--[\s\S]*?-->/g, "");
  const headings = [...template.matchAll(/^## (.+)$/gm)]
    .map(([, heading]) => heading.trim())
    .filter((heading) => !heading.includes("["));
  const left = new Map(Object.entries(sections));
  const parts = headings.map((heading) => {
    const known = [...left.keys()].find((name) => heading.startsWith(name));
    const body = known === undefined ? "Nothing to add for this feature." : left.get(known);
    left.delete(known);
    return `## ${heading}\n\n${body}`;
  });
  for (const [heading, body] of left) parts.push(`## ${heading}\n\n${body}`);
  return `${[title, `*${SIGNATURE}*`, ...parts].join("\n\n")}\n`;
}

/** The title, stories and requirements of the specification `specify` wrote. */
export function readSpec(directory) {
  const spec = readText(`${directory}/spec.md`);
  return {
    title: /^# Feature Specification: (.+)$/m.exec(spec)?.[1]?.trim() ?? "the feature",
    stories: [...spec.matchAll(/^### User Story (\d+) - (.+) \(Priority: (P\d+)\)/gm)].map(
      ([, number, name, priority]) => ({ number: Number(number), name, priority }),
    ),
    requirements: [...spec.matchAll(/^- \*\*(FR-\d{3})\*\*: (.+)$/gm)].map(([, id, words]) => ({
      id,
      words,
    })),
  };
}
