import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AGENT_PHASES, type AgentPhase } from "../../../src/domain/phase.ts";
import type { PhaseOutput } from "../../../src/domain/verify/phase-output.ts";
import { checksOf, verifyPhase } from "../../../src/domain/verify/verify-phase.ts";
import {
  DIRECTORY,
  type Files,
  GOOD_FILES,
  output,
  PLAN,
  RESEARCH,
  SPEC,
  TASKS,
} from "./sample-output.ts";

/** Any UTF-16 there is, halves of pairs too. */
const anyUnits = fc
  .array(fc.nat({ max: 0xffff }), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units));

interface Failing {
  readonly files?: Files;
  readonly changed?: PhaseOutput["changed"];
  /** What each finding of this check says it found. */
  readonly found: readonly string[];
}

const at = (file: string) => `${DIRECTORY}/${file}`;
const added = (path: string) => ({ path, kind: "added" }) as const;

/** For every check there is, a way to break it alone or with others. */
const FAILING: Readonly<Record<string, Failing>> = {
  "specify.spec-exists": { files: { [at("spec.md")]: undefined }, found: ["no such file"] },
  "specify.checklist-exists": {
    files: { [at("checklists/requirements.md")]: " \n" },
    found: ["an empty file"],
  },
  "specify.feature-json": {
    files: { ".specify/feature.json": '{"feature_directory":"specs/001-other"}' },
    found: ['feature_directory is "specs/001-other"'],
  },
  "specify.spec-differs-from-template": {
    files: { [at("spec.md")]: GOOD_FILES[".specify/templates/spec-template.md"] },
    found: ["the template as it stands"],
  },
  "specify.title": {
    files: { [at("spec.md")]: SPEC.replace("OAuth login", "[FEATURE NAME]") },
    found: ["# Feature Specification: [FEATURE NAME]"],
  },
  "specify.headings": {
    files: {
      [at("spec.md")]: SPEC.replace("## Requirements", "## Requirementses").replace(
        "## Success",
        "##",
      ),
    },
    found: ["no heading ## Requirements", "no heading ## Success Criteria"],
  },
  "specify.user-story": {
    files: { [at("spec.md")]: SPEC.replaceAll("(Priority:", "(Rank:") },
    found: ["none"],
  },
  "specify.functional-requirement": {
    files: { [at("spec.md")]: SPEC.replace("FR-001", "FR-1") },
    found: ["none"],
  },
  "specify.success-criterion": {
    files: { [at("spec.md")]: SPEC.replace("SC-001", "SC") },
    found: ["none"],
  },
  "specify.no-placeholders": {
    files: { [at("spec.md")]: `${SPEC}\n[Brief Title] <!-- ACTION REQUIRED -->` },
    found: ["[Brief Title]", "ACTION REQUIRED"],
  },
  "specify.one-new-directory": {
    changed: [added(at("spec.md")), added("specs/008-x/spec.md"), added("specs/008-x/a/b.md")],
    found: ["another directory with new files"],
  },
  "specify.no-later-documents": {
    changed: [added(at("plan.md")), added(at("tasks.md")), added(at("notes/plan.md"))],
    found: ["added", "added"],
  },
  "specify.nothing-outside": {
    changed: [
      added(".specify/feature.json"),
      { path: "README.md", kind: "changed" },
      { path: `${DIRECTORY}-other/x`, kind: "removed" },
    ],
    found: ["changed", "removed"],
  },
  "plan.plan-exists": { files: { [at("plan.md")]: undefined }, found: ["no such file"] },
  "plan.research-exists": { files: { [at("research.md")]: undefined }, found: ["no such file"] },
  "plan.quickstart-exists": { files: { [at("quickstart.md")]: "" }, found: ["an empty file"] },
  "plan.plan-differs-from-template": {
    files: { [at("plan.md")]: "# Implementation Plan: [FEATURE]\r\n\r\n" },
    found: ["the template as it stands"],
  },
  "plan.title": {
    files: { [at("plan.md")]: PLAN.replace("# Implementation Plan: ", "# Plan: ") },
    found: ["no such title"],
  },
  "plan.headings": {
    files: { [at("plan.md")]: PLAN.replace("## Constitution Check", "") },
    found: ["no heading ## Constitution Check"],
  },
  "plan.no-placeholders": {
    files: { [at("plan.md")]: `${PLAN}[Gates determined based on constitution file]` },
    found: ["[Gates determined based on constitution file]"],
  },
  "plan.no-open-questions": {
    files: { [at("plan.md")]: `${PLAN}**Storage**: NEEDS CLARIFICATION` },
    found: ["NEEDS CLARIFICATION"],
  },
  "plan.research-decisions": {
    files: { [at("research.md")]: RESEARCH.replace("Rationale", "Why") },
    found: ["no Rationale"],
  },
  "plan.spec-unchanged": {
    changed: [{ path: at("spec.md"), kind: "changed" }],
    found: ["changed"],
  },
  "plan.nothing-outside": {
    changed: [added("AGENTS.md"), added("CLAUDE.md"), added("src/AGENTS.md")],
    found: ["added"],
  },
  "tasks.tasks-exists": { files: { [at("tasks.md")]: undefined }, found: ["no such file"] },
  "tasks.tasks-differ-from-template": {
    files: { [at("tasks.md")]: GOOD_FILES[".specify/templates/tasks-template.md"] },
    found: ["the template as it stands"],
  },
  "tasks.no-placeholders": {
    files: { [at("tasks.md")]: `${TASKS}SAMPLE TASKS` },
    found: ["SAMPLE TASKS"],
  },
  "tasks.phase-headings": {
    files: { [at("tasks.md")]: TASKS.replaceAll("## Phase", "## Step") },
    found: ["none"],
  },
  "tasks.some-task": { files: { [at("tasks.md")]: "# Tasks: x\n\n## Phase 1\n" }, found: ["none"] },
  "tasks.task-form": {
    files: { [at("tasks.md")]: `${TASKS}- [ ] No id\n- [ ] T01 Short id\n- [ ] T009 ` },
    found: ["- [ ] No id", "- [ ] T01 Short id", "- [ ] T009"],
  },
  "tasks.ids-unique": {
    files: { [at("tasks.md")]: TASKS.replace("T002", "T001") },
    found: ["T001"],
  },
  "tasks.ids-ascending": {
    files: { [at("tasks.md")]: TASKS.replace("T002", "T009") },
    found: ["T003 after T009"],
  },
  "tasks.stories-covered": {
    files: { [at("tasks.md")]: TASKS.replace("[US2] ", "") },
    found: ["no task with [US2]"],
  },
  "tasks.stories-known": {
    files: { [at("tasks.md")]: `${TASKS}- [ ] T005 [US3] More` },
    found: ["[US3]"],
  },
  "tasks.nothing-done": {
    files: { [at("tasks.md")]: `${TASKS}- [x] T005 Done\n  - [X] T006 Done` },
    found: ["- [x] T005 Done", "- [X] T006 Done"],
  },
  "tasks.nothing-outside": { changed: [added("src/code.ts")], found: ["added"] },
};

describe("verifyPhase", () => {
  test.each(AGENT_PHASES)("%s: files as they should be give no finding", (phase) => {
    const changed = [added(at("notes.md")), added(".specify/feature.json")];
    expect(verifyPhase(phase, output({}, changed))).toEqual([]);
  });

  test("what is optional may be missing", () => {
    const none = { ".specify/templates/spec-template.md": undefined };
    expect(verifyPhase("specify", output(none))).toEqual([]);
    expect(verifyPhase("tasks", output({ [at("spec.md")]: undefined }))).toEqual([]);
  });

  test("open questions in the specification are no finding", () => {
    const spec = `${SPEC}${"- [NEEDS CLARIFICATION: which?]\n".repeat(5)}`;
    expect(verifyPhase("specify", output({ [at("spec.md")]: spec }))).toEqual([]);
  });

  const checks = AGENT_PHASES.flatMap((phase) =>
    checksOf(phase).map(({ name }) => [name, phase] as const),
  );
  test.each(checks)("%s is found when it does not hold", (name, phase) => {
    const failing = FAILING[name];
    expect(failing, `no failing case for ${name}`).toBeDefined();
    const findings = verifyPhase(phase, output(failing!.files, failing!.changed)).filter(
      ({ check }) => check === name,
    );
    expect(findings.map(({ found }) => found)).toEqual(failing!.found);
    for (const { path, expected } of findings) {
      expect(path).not.toBe("");
      expect(expected).not.toBe("");
    }
  });

  test("no failing case is left over", () => {
    expect(Object.keys(FAILING).sort()).toEqual(checks.map(([name]) => name).sort());
  });

  test("a feature.json of another shape is told as what it is", () => {
    const found = (content: string | undefined) =>
      verifyPhase("specify", output({ ".specify/feature.json": content })).map((one) => one.found);
    expect(found(undefined)).toEqual(["no such file"]);
    expect(found("{")).toEqual(["not a JSON document"]);
    expect(found("null")).toEqual(["no feature_directory"]);
    expect(found("{}")).toEqual(["no feature_directory"]);
    expect(found('{"feature_directory":7}')).toEqual(["feature_directory is 7"]);
  });

  test("findings stay few and short", () => {
    const lines = Array.from({ length: 50 }, (_, n) => `- [ ] ${n} ${"long ".repeat(200)}\u0007`);
    const findings = verifyPhase(
      "tasks",
      output({ [at("tasks.md")]: `${TASKS}${lines.join("\n")}` }),
    );
    expect(findings).toHaveLength(11);
    expect(findings.at(-1)?.found).toBe("40 more of the same kind");
    for (const { found } of findings) {
      expect(found.length).toBeLessThanOrEqual(200);
      expect(found).not.toMatch(/\p{C}/u);
    }
  });

  const fragments = fc.constantFrom(
    "# Feature Specification: ",
    "## Requirements",
    "### User Story 1 - x (Priority: P1)",
    "- [ ] T001 [P] [US1] x",
    "- [ ] ",
    "- [x] ",
    "```",
    "[NEEDS CLARIFICATION:",
    '{"feature_directory":',
    "\r\n",
    "\n",
  );
  const anyText = fc.oneof(
    anyUnits,
    fc.array(fc.oneof(fragments, anyUnits), { maxLength: 20 }).map((all) => all.join("")),
  );

  test("takes any text an agent can write", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<AgentPhase>(...AGENT_PHASES),
        fc.dictionary(
          fc.constantFrom(...Object.keys(GOOD_FILES)),
          fc.option(anyText, { nil: undefined }),
        ),
        fc.array(
          fc.record({
            path: fc.oneof(anyText, fc.constantFrom(at("spec.md"), "specs/1/x", "specs/")),
            kind: fc.constantFrom("added" as const, "changed" as const, "removed" as const),
          }),
          { maxLength: 15 },
        ),
        (phase, files, changed) => {
          const findings = verifyPhase(phase, output(files, changed));
          expect(findings.length).toBeLessThanOrEqual(checksOf(phase).length * 11);
          for (const { found, path } of findings) {
            expect(found.isWellFormed() && path.isWellFormed()).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a megabyte of anything is looked at in no time", () => {
    for (const unit of [
      "[NEEDS CLARIFICATION:",
      "- [ ] T001 ",
      "### User Story 1 - (Priority",
      "#\n",
      "`",
    ]) {
      const huge = unit.repeat(1_000_000 / unit.length);
      const files = Object.fromEntries(Object.keys(GOOD_FILES).map((path) => [path, huge]));
      const startedMs = performance.now();
      for (const phase of AGENT_PHASES) {
        verifyPhase(phase, output(files));
      }
      expect(performance.now() - startedMs).toBeLessThan(15_000);
    }
  });
});
