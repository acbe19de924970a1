import {
  type Broken,
  type Check,
  differsFromTemplate,
  exists,
  headings,
  matches,
  noneOf,
  nothingOutside,
  text,
} from "./check.ts";
import type { PhaseOutput } from "./phase-output.ts";

const FEATURE_JSON = ".specify/feature.json";
const LATER_DOCUMENTS = ["plan.md", "tasks.md"];

/** What `specify` must have left. Open questions are no finding: see `open-questions.ts`. */
export const SPECIFY_CHECKS: readonly Check[] = [
  exists("specify.spec-exists", "spec.md", "the feature's specification"),
  exists(
    "specify.checklist-exists",
    "checklists/requirements.md",
    "the checklist of the specification's quality",
  ),
  {
    name: "specify.feature-json",
    path: () => FEATURE_JSON,
    expected: (directory) => JSON.stringify({ feature_directory: directory }),
    broken: namesAnotherDirectory,
  },
  differsFromTemplate("specify.spec-differs-from-template", "spec.md", "spec-template.md"),
  text(
    "specify.title",
    "spec.md",
    "a title `# Feature Specification: ` with the feature's name",
    (content) => titleProblem(content, "# Feature Specification: ", "[FEATURE NAME]"),
  ),
  headings("specify.headings", "spec.md", [
    "## User Scenarios & Testing",
    "## Requirements",
    "## Success Criteria",
  ]),
  matches(
    "specify.user-story",
    "spec.md",
    "at least one `### User Story N - … (Priority: Pn)`",
    /^### User Story \d+ - .*\(Priority: P\d+\)/m,
  ),
  matches("specify.functional-requirement", "spec.md", "at least one FR-001", /\bFR-\d{3}/),
  matches("specify.success-criterion", "spec.md", "at least one SC-001", /\bSC-\d{3}/),
  noneOf("specify.no-placeholders", "spec.md", [
    "[FEATURE NAME]",
    "[Brief Title]",
    "[initial state]",
    "ACTION REQUIRED",
  ]),
  {
    name: "specify.one-new-directory",
    path: () => "specs",
    expected: (directory) => `${directory} as the only new directory in specs/`,
    broken: otherNewDirectories,
  },
  {
    name: "specify.no-later-documents",
    path: (directory) => directory,
    expected: () => "no plan.md and no tasks.md: they belong to later phases",
    broken: ({ changed, featureDirectory }) =>
      changed
        .filter(({ kind }) => kind === "added")
        .filter(({ path }) =>
          LATER_DOCUMENTS.some((name) => path === `${featureDirectory}/${name}`),
        )
        .map(({ path }) => ({ path, found: "added" })),
  },
  nothingOutside("specify.nothing-outside", [FEATURE_JSON]),
];

/** What is wrong with a document's title line, as findings. */
export function titleProblem(content: string, start: string, placeholder: string): string[] {
  const line = content.split("\n").find((candidate) => candidate.startsWith(start));
  if (line === undefined) {
    return ["no such title"];
  }
  const name = line.slice(start.length).trim();
  return name === "" || name.includes(placeholder) ? [line] : [];
}

function namesAnotherDirectory(output: PhaseOutput): readonly Broken[] {
  const content = output.read(FEATURE_JSON);
  if (content === undefined) {
    return output.featureJson === "optional" ? [] : [{ found: "no such file" }];
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    return [{ found: "not a JSON document" }];
  }
  if (typeof parsed !== "object" || parsed === null || !("feature_directory" in parsed)) {
    return [{ found: "no feature_directory" }];
  }
  const named = parsed.feature_directory;
  return named === output.featureDirectory
    ? []
    : [{ found: `feature_directory is ${JSON.stringify(named)}` }];
}

function otherNewDirectories({ changed, featureDirectory }: PhaseOutput): readonly Broken[] {
  const others = new Set<string>();
  for (const { path, kind } of changed) {
    const directory = /^specs\/[^/]+(?=\/)/.exec(path)?.[0];
    if (kind === "added" && directory !== undefined && directory !== featureDirectory) {
      others.add(directory);
    }
  }
  return [...others].map((path) => ({ path, found: "another directory with new files" }));
}
