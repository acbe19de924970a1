import { describe, expect, test } from "vitest";
import {
  escapeSkillNames,
  mentionsSkills,
  skillFiles,
  skillNamesOf,
} from "../../../src/domain/spec-kit/skill-names.ts";

describe("escapeSkillNames", () => {
  const escaped = (text: string) => escapeSkillNames(text, ["speckit-plan", "review"]);

  test.each([
    ["Add $speckit-plan.", "Add $ speckit-plan."],
    ["`$review` and \\$review, a$$review", "`$ review` and \\$ review, a$$ review"],
    ["[$x](/w/.agents/skills/review/SKILL.md)", "[$ x](/w/.agents/skills/review/SKILL.md)"],
    ["[$review](skill://x)", "[$ review](skill://x)"],
  ])("%j calls no skill as %j", (text, safe) => {
    expect(escaped(text)).toBe(safe);
    expect(escaped(safe)).toBe(safe);
  });

  test.each([
    "costs $5, $HOME and $config",
    "$speckit-planner, $speckit-plan_x, $review:x, $REVIEW",
    "$(review), $" + "{review} and $ review",
    "no dollar",
  ])("%j stays as it is", (text) => {
    expect(escaped(text)).toBe(text);
  });
});

test("only a name behind a $ can call a skill; the placeholder of instructions is none", () => {
  expect(mentionsSkills("Add $review")).toBe(true);
  expect(mentionsSkills("Arguments: $ARGUMENTS, $(x), $ y")).toBe(false);
});

describe("skills of a repository", () => {
  const PATHS = [
    ".agents/skills/review/SKILL.md",
    ".agents/skills/group/deep/SKILL.md",
    ".codex/skills/cx/SKILL.md",
    ".claude/skills/other/SKILL.md",
    ".agents/skills/SKILL.md",
    "packages/.agents/skills/shared/SKILL.md",
    "packages/api/.agents/skills/own/SKILL.md",
    "packages/web/.agents/skills/web/SKILL.md",
  ];

  test("are those of the project and of the folders above it", () => {
    expect(skillFiles(PATHS, "")).toEqual(PATHS.slice(0, 3));
    expect(skillFiles(PATHS, "packages/api")).toEqual([...PATHS.slice(0, 3), PATHS[5], PATHS[6]]);
  });

  test("are called what they say, and like their folder", () => {
    const names = (content: string) => skillNamesOf(".agents/skills/folder/SKILL.md", content);
    expect(names('---\nname: "front"\ndescription: x\n---\n# x')).toEqual(["folder", "front"]);
    expect(names("---\r\nname: front\r\n---\r\n")).toEqual(["folder", "front"]);
    expect(names("name: none")).toEqual(["folder"]);
  });
});
