import { expect, test } from "vitest";
import { pushRefusal } from "../../../src/adapters/git/push-refusal.ts";
import { remoteWords, shownWords } from "../../../src/adapters/git/remote-words.ts";

const WORKFLOW = "to create or update workflow `.github/workflows/a.yml` without";

// As the named hosts word it.
test.each([
  ["protected branch hook declined", "BRANCH_PROTECTED"],
  ["push declined due to repository rule violations", "BRANCH_PROTECTED"],
  [
    "GitLab: You are not allowed to push code to protected branches on this project.",
    "BRANCH_PROTECTED",
  ],
  ["Branch refs/heads/a can only be modified through pull requests.", "BRANCH_PROTECTED"],
  [
    `refusing to allow a Personal Access Token ${WORKFLOW} \`workflow\` scope`,
    "TOKEN_SCOPE_MISSING",
  ],
  [`refusing to allow an OAuth App ${WORKFLOW} \`workflow\` scope`, "TOKEN_SCOPE_MISSING"],
  ["Resource not accessible by integration", "TOKEN_SCOPE_MISSING"],
  ["insufficient_scope", "TOKEN_SCOPE_MISSING"],
  ["This repository was archived so it is read-only.", "REPOSITORY_ARCHIVED"],
  ["You can't push code to an archived project.", "REPOSITORY_ARCHIVED"],
  ["This repository moved. Please use the new location:", "REPOSITORY_MOVED"],
  ["error: File big.bin is 150.00 MB; GH001: Large files detected.", "PUSH_REFUSED"],
  ["pre-receive hook declined", "PUSH_REFUSED"],
  ["", "PUSH_REFUSED"],
])("%s", (words, code) => {
  const refusal = pushRefusal(words);
  expect(refusal.code).toBe(code);
  expect(refusal.remedy).not.toBe("");
});

test("a missing scope is named", () => {
  expect(pushRefusal(`… ${WORKFLOW} \`workflow\` scope`).remedy).toContain("scope `workflow`");
  expect(pushRefusal(`… ${WORKFLOW} \`workflows\` permission`).remedy).toContain(
    "permission `workflows`",
  );
});

test("a remote's words are its own lines, without its progress and git's lines", () => {
  const stderr = [
    "remote: Resolving deltas:  50% (1/2)\rremote: Resolving deltas: 100% (2/2), done.        ",
    "remote: ",
    "remote: error: GH006: Protected branch.        ",
    "remote: ========================",
    "ERROR: said by ssh",
    "error: failed to push some refs to 'https://host/x'",
  ].join("\n");
  expect(remoteWords(stderr)).toBe("error: GH006: Protected branch.\nsaid by ssh");
});

test("what is shown of them is one visible line of at most 500 characters", () => {
  expect(shownWords("")).toBe("");
  expect(shownWords("a\u001b[31m\n\u202eb")).toBe("; it says: a [31m b");
  expect(shownWords("x".repeat(2_000)).length).toBeLessThanOrEqual("; it says: ".length + 500);
});
