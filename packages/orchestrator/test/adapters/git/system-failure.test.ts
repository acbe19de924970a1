import { expect, test } from "vitest";
import { systemFailure } from "../../../src/adapters/git/system-failure.ts";
import { SpeckitError } from "../../../src/domain/speckit-error.ts";

const system = (code: string) =>
  Object.assign(new Error(`${code}: no`), { code, syscall: "write" });

test.each([
  ["ENOSPC", "DISK_FULL"],
  ["EDQUOT", "DISK_FULL"],
  ["EIO", "GIT_FAILED"],
  ["ENOENT", "GIT_FAILED"],
])("%s is %s, with the operation's name", (code, expected) => {
  const failure = systemFailure("create a workspace", system(code));
  expect(failure).toMatchObject({
    code: expected,
    message: `create a workspace: write said ${code}`,
    cause: { code },
  });
});

test("what is no system error stays itself", () => {
  for (const error of [
    new SpeckitError("GIT_FAILED", "x"),
    new Error("drained"),
    undefined,
    "text",
  ]) {
    expect(systemFailure("x", error)).toBe(error);
  }
});
