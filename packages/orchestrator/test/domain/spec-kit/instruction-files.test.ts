import { describe, expect, test } from "vitest";
import { instructionFiles } from "../../../src/domain/spec-kit/instruction-files.ts";

const find = (paths: readonly string[], directory = "", agent: string | null = null) =>
  instructionFiles("plan", paths, { directory, agent });
const pathsOf = (paths: readonly string[], directory = "", agent: string | null = null) =>
  find(paths, directory, agent).map((file) => file.path);

/** A project that every agent and every era of Spec Kit has left its files in. */
const ALL = [
  ".agents/skills/speckit-plan/SKILL.md",
  ".codex/prompts/speckit.plan.md",
  ".codex/prompts/plan.md",
  ".github/agents/speckit.plan.agent.md",
  ".claude/commands/speckit.plan.md",
  ".gemini/commands/plan.toml",
  "prompts/speckit.plan.md",
];

describe("instructionFiles", () => {
  test("the skill first, then Codex's prompts, the project's own agent, any other agent", () => {
    const shuffled = [...ALL].reverse();
    expect(pathsOf(shuffled, "", "copilot")).toEqual(ALL);
    expect(pathsOf(shuffled, "", "gemini").slice(3, 5)).toEqual([
      ".gemini/commands/plan.toml",
      ".claude/commands/speckit.plan.md",
    ]);
  });

  test("only a skill of .agents is one that agents find by name", () => {
    expect(
      find([".agents/skills/speckit-plan/SKILL.md", ".claude/skills/speckit-plan/SKILL.md"]),
    ).toEqual([
      { kind: "skill", name: "speckit-plan", path: ".agents/skills/speckit-plan/SKILL.md" },
      { kind: "prompt", name: "speckit-plan", path: ".claude/skills/speckit-plan/SKILL.md" },
    ]);
    expect(find([".codex/prompts/plan.md", ".opencode/command/speckit.plan.md"])).toEqual([
      { kind: "prompt", name: "plan", path: ".codex/prompts/plan.md" },
      { kind: "prompt", name: "speckit.plan", path: ".opencode/command/speckit.plan.md" },
    ]);
  });

  test("documents, templates, extensions and other commands are no instructions", () => {
    expect(
      find([
        "plan.md",
        "docs/plan.md",
        ".github/plan.md",
        "specs/001-x/plan.md",
        ".specify/templates/commands/plan.md",
        ".specify/presets/lean/commands/speckit.plan.md",
        ".claude/commands/speckit.planet.md",
        ".claude/commands/speckit.specify.md",
        ".claude/commands/speckit.plan.txt",
        "planning/commands/plan.md",
        ".x\n/commands/speckit.plan.md",
      ]),
    ).toEqual([]);
  });

  test("a project in a folder has its own files first, then those of the repository's root", () => {
    expect(
      pathsOf(
        [
          ".agents/skills/speckit-plan/SKILL.md",
          "packages/api/.claude/commands/speckit.plan.md",
          "packages/web/.agents/skills/speckit-plan/SKILL.md",
        ],
        "packages/api",
      ),
    ).toEqual([
      "packages/api/.claude/commands/speckit.plan.md",
      ".agents/skills/speckit-plan/SKILL.md",
    ]);
  });
});
