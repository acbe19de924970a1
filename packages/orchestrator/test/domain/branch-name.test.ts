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
    "feature/задача-12",
    "дом",
    "ελληνικά/x",
    "dependabot/npm/@types/node-1.2+x#7=y,z",
    "console/com10",
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
    ["a command", "$(id)"],
    ["a command in back quotes", "a`id`"],
    ["two commands", "a;id"],
    ["a variable", "a$HOME"],
    ["quotes", "a'b"],
    ["a pipe", "a|b"],
    ["a percent sign", "%PATH%"],
    ["a direction mark", "a\u202eb"],
    ["a direction isolate", "a\u2066b"],
    ["a letter of no width", "a\u200bb"],
    ["a filler that is a letter", "a\u115fb"],
    ["a variation selector", "a\ufe0fb"],
    ["a no-break space", "a\u00a0b"],
    ["a line separator", "a\u2028b"],
    ["a Latin word with a Cyrillic letter", "m\u0430in"],
    ["a Cyrillic word with a Latin letter", "\u0434o\u043c"],
    ["a Latin word with a Greek letter", "m\u03b1in"],
    ["full-width letters", "\uff4d\uff41in"],
    ["a composed and a decomposed letter that look the same", "u\u0308x"],
    ["a full-width slash", "a\uff0fb"],
    ["a division slash", "a\u2215b"],
    ["a private character", "a\ue000"],
    ["a device of Windows", "con"],
    ["a device of Windows with an extension", "a/NUL.txt"],
    ["a serial port", "feature/com1"],
  ])("%s is none", (_what, name) => {
    expect(isBranchName(name)).toBe(false);
  });
});
