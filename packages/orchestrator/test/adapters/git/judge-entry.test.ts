import { describe, expect, test } from "vitest";
import { isDotGit } from "../../../src/adapters/git/dot-git.ts";
import { judgeEntry } from "../../../src/adapters/git/judge-entry.ts";

const link = (path: string, target: string) =>
  judgeEntry(path, { kind: "symlink", target: Buffer.from(target, "latin1") })?.found;

describe("a new symlink", () => {
  test.each([
    ["a", "b"],
    ["a", "./b//c/"],
    ["a/b/c", "../../d"],
    ["a/b", ".."],
    ["a", "not/there"],
    ["a", "..."],
    ["a", ".gitlab/x"],
  ])("%s -> %s stays inside", (path, target) => {
    expect(link(path, target)).toBeUndefined();
  });

  test.each([
    ["a", "/etc/passwd"],
    ["a", ".."],
    ["a/b", "../../x"],
    ["a/b", "./../../x"],
    ["a/b", "x/../.."],
    ["a", "x/.."],
    ["a", ""],
    ["a", "x\ny"],
    ["a", "\xff"],
    ["a", ".git/config"],
    ["a/b", "../.GIT/config"],
    ["a", "sub/.git"],
    [".gitmodules", "x"],
    ["a/.gitattributes", "x"],
  ])("%s -> %j is refused", (path, target) => {
    expect(link(path, target)).toBeDefined();
  });
});

test.each([
  ".git",
  ".GIT",
  ".Git",
  ".git.",
  ".git ",
  ".git . .",
  "git~1",
  "GIT~1",
  ".git::$INDEX_ALLOCATION",
  Buffer.from(".g\u200cit").toString("latin1"),
])("%j is git's own folder somewhere", (name) => expect(isDotGit(name)).toBe(true));

test.each([".gitignore", ".github", "git", "x.git", "git~12", ".gitx", "..git"])(
  "%j is not",
  (name) => expect(isDotGit(name)).toBe(false),
);
