import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { branchNameFor, isBranchName } from "../../src/domain/branch-name.ts";
import { anyText } from "../any-text.ts";

const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/);

describe("branch names", () => {
  test("a run's own has the sentence's words and 8 digits of its id's hash", () => {
    expect(branchNameFor("Add OAuth login", "0123456789abcdef".repeat(4))).toBe(
      "speckit/add-oauth-login-01234567",
    );
  });

  test("a run's own is a branch name, whatever the sentence", () => {
    fc.assert(
      fc.property(anyText, sha256, (sentence, hash) => {
        expect(isBranchName(branchNameFor(sentence, hash))).toBe(true);
      }),
    );
  });

  test.each([
    "main",
    "feature/x",
    "a.b",
    "a@b",
    "@a",
    "ünïcode/名前",
    "x".repeat(200),
    "a./b",
    "head",
  ])("%s is one", (name) => {
    expect(isBranchName(name)).toBe(true);
  });

  test.each([
    ["nothing", ""],
    ["an option", "--force"],
    ["an option in a part", "a/-b"],
    ["a step up", "a/../b"],
    ["a hidden part", "a/.b"],
    ["a lock file", "a.lock"],
    ["a lock file in the middle", "a.lock/b"],
    ["a dot at the end", "a."],
    ["a slash at the end", "a/"],
    ["a slash at the beginning", "/a"],
    ["an empty part", "a//b"],
    ["a revision", "a@{1}"],
    ["the checked-out one", "@"],
    ["git's own name", "HEAD"],
    ["a full name", "refs/heads/a"],
    ["a range", "a..b"],
    ["a pattern", "a*"],
    ["a refspec", "a:b"],
    ["a space", "a b"],
    ["a newline", "a\nb"],
    ["a NUL", "a\u0000"],
    ["a terminal's control character", "a\u009b31m"],
    ["a backslash", "a\\b"],
    ["a lone surrogate", "a\ud800"],
    ["more than a file system takes", "x".repeat(201)],
    ["few characters of many bytes", "名".repeat(67)],
  ])("%s is none", (_what, name) => {
    expect(isBranchName(name)).toBe(false);
  });
});
