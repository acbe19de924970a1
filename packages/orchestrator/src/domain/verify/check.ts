import type { PhaseOutput } from "./phase-output.ts";

/** Something a check found wrong. The path defaults to the check's own. */
export interface Broken {
  readonly path?: string;
  readonly found: string;
}

/** One postcondition, as a row of a phase's table. */
export interface Check {
  /** Stable: part of findings, events and repair prompts. */
  readonly name: string;
  /** Path in the repository it looks at. */
  readonly path: (featureDirectory: string) => string;
  readonly expected: (featureDirectory: string) => string;
  /** What was found instead; empty when the check holds. */
  readonly broken: (output: PhaseOutput) => readonly Broken[];
}

/** A file below the feature directory, or from the root when it begins with `/`. */
function pathOf(file: string): (featureDirectory: string) => string {
  return (directory) => (file.startsWith("/") ? file.slice(1) : `${directory}/${file}`);
}

/** The file is there and is not empty. */
export function exists(name: string, file: string, what: string): Check {
  const path = pathOf(file);
  return {
    name,
    path,
    expected: () => what,
    broken: (output) => {
      const text = output.read(path(output.featureDirectory));
      if (text === undefined) {
        return [{ found: "no such file" }];
      }
      return text.trim() === "" ? [{ found: "an empty file" }] : [];
    },
  };
}

/** A check of a file's text. Holds when there is no such file: that is the business of {@link exists}. */
export function text(
  name: string,
  file: string,
  expected: string,
  look: (text: string, output: PhaseOutput) => readonly string[],
): Check {
  const path = pathOf(file);
  return {
    name,
    path,
    expected: () => expected,
    broken: (output) => {
      const content = output.read(path(output.featureDirectory));
      return content === undefined ? [] : look(content, output).map((found) => ({ found }));
    },
  };
}

/** The file is not just its template: scripts copy that first, so being there proves nothing. */
export function differsFromTemplate(name: string, file: string, templateName: string): Check {
  const template = `.specify/templates/${templateName}`;
  return text(name, file, `a document of its own, not ${template}`, (content, output) => {
    const original = output.read(template);
    return original !== undefined && normalized(original) === normalized(content)
      ? ["the template as it stands"]
      : [];
  });
}

/** None of these texts is left from the template. One finding for each that is. */
export function noneOf(name: string, file: string, leftovers: readonly string[]): Check {
  return text(name, file, "no placeholder of the template", (content) =>
    leftovers.filter((leftover) => content.includes(leftover)),
  );
}

/** Each of these headings begins a line. One finding for each that is missing. */
export function headings(name: string, file: string, wanted: readonly string[]): Check {
  return text(name, file, `the headings ${wanted.join(", ")}`, (content) =>
    wanted
      .filter((heading) => !hasHeading(content, heading))
      .map((heading) => `no heading ${heading}`),
  );
}

/** At least one match. */
export function matches(name: string, file: string, expected: string, pattern: RegExp): Check {
  return text(name, file, expected, (content) => (pattern.test(content) ? [] : ["none"]));
}

/**
 * Where agents keep what they know of a project, by the names Spec Kit uses: older ones add the chosen
 * technology there, newer ones where the plan is.
 */
export const AGENT_CONTEXT_FILES: readonly string[] = [
  "AGENTS.md",
  "CLAUDE.md",
  "CODEBUDDY.md",
  "GEMINI.md",
  "QWEN.md",
  ".augment/rules/specify-rules.md",
  ".cursor/rules/specify-rules.mdc",
  ".github/agents/copilot-instructions.md",
  ".github/copilot-instructions.md",
  ".kilocode/rules/specify-rules.md",
  ".roo/rules/specify-rules.md",
  ".windsurf/rules/specify-rules.md",
];

/**
 * Nothing outside the feature directory was touched, but for what is allowed by path.
 *
 * @param more allowed as well, `as` in words
 */
export function nothingOutside(
  name: string,
  allowed: readonly string[],
  more: { readonly paths: readonly string[]; readonly as: string } = { paths: [], as: "" },
): Check {
  const besides = [...allowed, ...(more.as === "" ? [] : [more.as])].join(", ");
  return {
    name,
    path: (directory) => directory,
    expected: (directory) =>
      `no change outside ${directory}${besides === "" ? "" : ` besides ${besides}`}`,
    broken: ({ changed, featureDirectory }) =>
      changed
        .filter(({ path }) => !path.startsWith(`${featureDirectory}/`) && !allowed.includes(path))
        .filter(({ path }) => !more.paths.includes(path))
        .map(({ path, kind }) => ({ path, found: kind })),
  };
}

function hasHeading(content: string, heading: string): boolean {
  return content
    .split("\n")
    .some((line) => line.startsWith(heading) && !/^[A-Za-z0-9]/.test(line.slice(heading.length)));
}

function normalized(content: string): string {
  return content.replaceAll("\r\n", "\n").trim();
}
